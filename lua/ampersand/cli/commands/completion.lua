--- `ampersand completion`.

local stdout = require "ampersand.cli.stdout"

local completion = {
  summary = "Print a completion script for bash, zsh or fish.",
  epilog = [[
Examples:
  eval "$(ampersand completion bash)"                     in ~/.bashrc
  ampersand completion zsh > ~/.zfunc/_ampersand          a directory of your fpath
  ampersand completion fish > ~/.config/fish/completions/ampersand.fish]],
}

local SHELLS = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

function completion.declare(command)
  command:argument "shell":choices { "bash", "zsh", "fish" }
end

function completion.run(ctx)
  local root = ctx.parser.build()
  stdout.write(root[SHELLS[ctx.args.shell]](root))
end

return completion
