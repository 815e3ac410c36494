--- `ampersand mock`. Its own command line is in `ampersand.mock`; this is its place in the tree, for --help and
-- completion, and for words before it (`ampersand --quiet mock`).

local exit = require "ampersand.cli.exit"

local mock = {
  options = {},
  run = function() exit.usage "mock is the first word: ampersand mock [options]" end,
  epilog = [[
Its options are explained in full by: ampersand mock --help

Example:
  ampersand mock --installations 1000 --fault slow]],
}

for i, option in ipairs(require("ampersand.mock").options) do
  local name, default, text = option[1], option[2], option[3]
  mock.options[i] = { "--" .. name, text:sub(1, 1):upper() .. text:sub(2) .. ".",
    default ~= false and (type(default) == "number" and "<n>" or "<text>") or nil, several = default ~= false or nil }
end

return mock
