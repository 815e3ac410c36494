-- Writes the manual page and the completions, all in one process:
--     lua src/install_words.lua MANUAL BASH ZSH FISH
-- It exits with 2 where argparse is absent, which the command needs.

if not pcall(require, "argparse") then
  print "The command needs argparse (Debian: lua-argparse); install it, then: make install-words"
  os.exit(2)
end

local cli = require "ampersand.cli"

for i, words in ipairs { { "man" }, { "completion", "bash" }, { "completion", "zsh" }, { "completion", "fish" } } do
  os.remove(arg[i]) -- whose permissions a new text would keep
  local file = assert(io.open(arg[i], "w"))
  io.stdout = file -- luacheck: ignore
  if cli.main(words) ~= 0 then os.exit(1) end
  assert(file:close())
end
