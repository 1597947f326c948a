# zsh completion for kubectl @PLUGIN@: eval "$(kubectl @PLUGIN@ completion zsh)"

__kubectl_@NAME@() {
    local -a typed lines told
    local line value directive
    typed=("${(@Q)words[3,CURRENT]}")
    [[ ${words[1]:t} == @PROGRAM@ ]] && typed=("${(@Q)words[2,CURRENT]}")
    lines=("${(@f)$(@PROGRAM@ __complete "${typed[@]}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    # What stands behind --flag= is completed alone.
    [[ ${typed[-1]} == -*=* ]] && compset -P '*='
    if (( !(directive & 4) )); then
        _files
        return
    fi
    for line in "${(@)lines[1,-2]}"; do
        value=${line%%$'\t'*}
        value=${value//:/\\:}
        [[ $line == *$'\t'* ]] && value+=":${line#*$'\t'}"
        told+=("$value")
    done
    if (( directive & 2 )); then
        _describe -t @PLUGIN@ @PLUGIN@ told -S ''
    else
        _describe -t @PLUGIN@ @PLUGIN@ told
    fi
}

__kubectl_or_@NAME@() {
    if (( CURRENT > 2 )) && [[ ${words[2]} == @PLUGIN@ ]]; then
        __kubectl_@NAME@
        return
    fi
    if (( ! $+functions[_kubectl] )); then
        eval "$(kubectl completion zsh 2>/dev/null)"
        compdef __kubectl_or_@NAME@ kubectl
    fi
    _kubectl
}

if (( ! $+functions[compdef] )); then
    autoload -Uz compinit && compinit
fi
compdef __kubectl_@NAME@ @PROGRAM@
compdef __kubectl_or_@NAME@ kubectl
