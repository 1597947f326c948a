# bash completion for kubectl @PLUGIN@: eval "$(kubectl @PLUGIN@ completion bash)"

__kubectl_@NAME@() {
    local typed=${COMP_LINE:0:COMP_POINT} words cur answer line prefix=""
    # COMP_WORDS is cut at = and :, which names may have.
    read -ra words <<<"$typed"
    [[ $typed == *[[:space:]] ]] && words+=("")
    local skip=2
    [[ ${words[0]##*/} == @PROGRAM@ ]] && skip=1
    answer=$(@PROGRAM@ __complete "${words[@]:skip}" 2>/dev/null)
    COMPREPLY=()
    # Bit 4 clear: file names, which `complete -o default` gives where there is no reply.
    local directive=${answer##*:}
    ((directive & 4)) || return 0
    if type compopt >/dev/null 2>&1; then
        compopt +o default
        ((directive & 2)) && compopt -o nospace
    fi
    cur=${words[${#words[@]} - 1]}
    if [[ $cur == -*=* ]]; then
        [[ $COMP_WORDBREAKS == *=* ]] || prefix=${cur%%=*}=
        cur=${cur#*=}
    fi
    # bash replaces what stands behind the last break.
    local colon=""
    [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && colon=${cur%"${cur##*:}"}
    while IFS= read -r line; do
        [[ $line == :* ]] && break
        line=${line%%$'\t'*}
        COMPREPLY+=("$prefix${line#"$colon"}")
    done <<<"$answer"
}

__kubectl_or_@NAME@() {
    if [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == @PLUGIN@ ]]; then
        __kubectl_@NAME@
        return
    fi
    if ! declare -F __start_kubectl >/dev/null; then
        eval "$(kubectl completion bash 2>/dev/null)"
        complete -o default -F __kubectl_or_@NAME@ kubectl
    fi
    __start_kubectl "$@" 2>/dev/null
}

complete -o default -F __kubectl_@NAME@ @PROGRAM@
complete -o default -F __kubectl_or_@NAME@ kubectl
