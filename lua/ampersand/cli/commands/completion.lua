--- `ampersand completion`: scripts that ask `ampersand __complete` (cli/complete).

local stdout = require "ampersand.cli.stdout"

local completion = {
  usage = "<shell> ",
  arguments = { { name = "shell", choices = { "bash", "zsh", "fish" } } },
  epilog = [[
Examples:
  source <(ampersand completion bash)                     in ~/.bashrc
  source <(ampersand completion zsh)                      in ~/.zshrc
  ampersand completion zsh > ~/.zfunc/_ampersand          or a directory of your fpath
  ampersand completion fish > ~/.config/fish/completions/ampersand.fish]],
}

local SCRIPTS = {}

SCRIPTS.bash = [[
_ampersand() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = :files ]; then
      compopt -o default 2>/dev/null
      return
    fi
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case "${COMPREPLY[0]}" in *=) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _ampersand ampersand
]]

SCRIPTS.zsh = [=[
#compdef ampersand
_ampersand() {
  local line
  local -a whole open
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    local shown="${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}"
    if [[ $line == *=$'\t'* ]]; then open+=("$shown"); else whole+=("$shown"); fi
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#whole )) && _describe -t values ampersand whole
  (( $#open )) && _describe -t fields ampersand open -S ''
}
if [[ ${funcstack[1]} == _ampersand ]]; then
  _ampersand "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u -D }
  compdef _ampersand ampersand
fi
]=]

SCRIPTS.fish = [[
function __ampersand_candidates
  set -l words (commandline -opc)
  set -l lines ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
  if test "$lines[1]" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $lines
  end
end
complete -c ampersand -f -a '(__ampersand_candidates)'
]]

function completion.run(ctx)
  stdout.write(SCRIPTS[ctx.args.shell])
end

return completion
