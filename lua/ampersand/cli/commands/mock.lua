--- `ampersand mock`. Its own command line is in `ampersand.mock`; this is its place in the tree, for --help and
-- completion, and for words before it (`ampersand --quiet mock`).

local exit = require "ampersand.cli.exit"

local mock = {
  summary = "Run a mock server of the API on this machine, for tests and demos.",
  epilog = [[
Its options are explained in full by: ampersand mock --help

Example:
  ampersand mock --installations 1000 --fault slow]],
}

function mock.declare(command)
  for _, option in ipairs(require("ampersand.mock").options) do
    local name, default, text = option[1], option[2], option[3]
    local description = text:sub(1, 1):upper() .. text:sub(2) .. "."
    if default == false then
      command:flag("--" .. name, description)
    else
      command:option("--" .. name, description):argname(type(default) == "number" and "<n>" or "<text>"):count "*"
    end
  end
end

function mock.run()
  exit.usage "mock is the first word: ampersand mock [options]"
end

return mock
