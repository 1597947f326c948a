# fish completion for kubectl @PLUGIN@: kubectl @PLUGIN@ completion fish | source

function __kubectl_@NAME@_answer
    set -l typed (commandline -opc)
    set -l last (commandline -ct)
    set -l skip 3
    string match -q '*@PROGRAM@' -- $typed[1]; and set skip 2
    @PROGRAM@ __complete $typed[$skip..-1] "$last" 2>/dev/null
end

function __kubectl_@NAME@_candidates
    set -l answer (__kubectl_@NAME@_answer)
    set -l last (commandline -ct)
    if test "$answer[-1]" = :0
        __fish_complete_path (string replace -r -- '^-[^=]*=' '' "$last")
        return
    end
    # What stands behind --flag= is completed with it.
    set -l prefix (string match -r -- '^-[^=]*=' "$last")
    for line in $answer[1..-2]
        test -n "$line"; and printf '%s%s\n' "$prefix" $line
    end
end

function __kubectl_@NAME@_typed
    set -l typed (commandline -opc)
    test (count $typed) -ge 2; and test "$typed[2]" = @PLUGIN@
end

complete -c @PROGRAM@ -f -a '(__kubectl_@NAME@_candidates)'
complete -c kubectl -n __kubectl_@NAME@_typed -f -a '(__kubectl_@NAME@_candidates)'
