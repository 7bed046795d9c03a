# Completion of dispatch in bash:  source <(dispatch completion bash)
_dispatch() {
  local IFS=$'\n' line kind=
  COMPREPLY=()
  # Read line by line and never expanded: a thread's title must not be run.
  while IFS= read -r line; do
    if [[ -z $kind ]]; then kind=$line; else COMPREPLY+=("$line"); fi
  done < <(command dispatch __complete bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  case $kind in
    files) compopt -o default 2>/dev/null ;;
    directories) compopt -o dirnames 2>/dev/null ;;
  esac
}
complete -F _dispatch dispatch
