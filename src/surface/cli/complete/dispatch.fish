# Completion of dispatch in fish:  dispatch completion fish | source
function __dispatch_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command dispatch __complete fish $words[2..-1] "$current" 2>/dev/null)
    # In --flag=path only the path is completed.
    set -l flag (string match -r -- '^--[^=]+=' "$current")
    set -l path (string replace -r -- '^--[^=]+=' '' "$current")
    switch "$lines[1]"
        case files
            printf '%s\n' "$flag"(__fish_complete_path "$path")
        case directories
            printf '%s\n' "$flag"(__fish_complete_directories "$path")
        case words
            printf '%s\n' $lines[2..-1]
    end
end
complete -c dispatch -f -a '(__dispatch_complete)'
