#compdef dispatch
# Completion of dispatch in zsh:  source <(dispatch completion zsh)   or as the file _dispatch in a directory of $fpath
_dispatch() {
  local -a lines offered shown
  local line
  lines=("${(@f)$(command dispatch __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  case $lines[1] in
    files | directories)
      compset -P 1 '--*='
      if [[ $lines[1] == files ]]; then _files; else _files -/; fi
      ;;
    words)
      for line in "${(@)lines[2,-1]}"; do
        offered+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
      done
      compadd -l -d shown -a offered
      ;;
  esac
}
if [[ $funcstack[1] == _dispatch ]]; then _dispatch "$@"; else compdef _dispatch dispatch; fi
