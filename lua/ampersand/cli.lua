--- The command `ampersand`. Data goes to standard output, everything else to standard error.
--
-- cli/parser builds the tree of commands out of cli/commands; each command declares its options and runs itself.
-- cli/show sends lists and values through the writers of cli/output. cli/exit has the exit codes.

local exit = require "ampersand.cli.exit"
local is_interrupt = require "ampersand.util.is_interrupt"
local stdout = require "ampersand.cli.stdout"

local unpack = table.unpack or unpack -- luacheck: ignore

local cli = {}

-- The former name of the mock server, for one more version.
local ALIASES = { standin = "mock" }

local function run(words)
  words = { unpack(words) }
  words[1] = ALIASES[words[1]] or words[1]
  if words[1] == "mock" then return require("ampersand.mock").main { unpack(words, 2) } end
  if words[1] == "help" then
    table.remove(words, 1)
    words[#words + 1] = "--help"
  end
  local found, why = pcall(require, "argparse")
  if not found then
    if is_interrupt(why) then error(why, 0) end
    exit.with(exit.FAILURE, "argparse is missing; install it (Debian: lua-argparse, LuaRocks: argparse)")
  end
  if words[1] == "__complete" then return require("ampersand.cli.complete").run { unpack(words, 2) } end
  local parser = require "ampersand.cli.parser"
  local command, args = parser.parse(words)
  return command.run(require("ampersand.cli.context").new(args, parser))
end

local function traced(raised)
  if type(raised) == "string" and not is_interrupt(raised) then return debug.traceback(raised, 2) end
  return raised
end

--- Runs a command line.
---@param words string[] without the name of the program
---@return integer code for os.exit
function cli.main(words)
  stdout.fill_closed()
  local ok, raised = xpcall(function() return run(words) or exit.OK end, traced)
  local code, message = raised, nil
  if not ok then code, message = exit.explain(raised) end
  if code ~= exit.PIPE then
    local flushed, problem = pcall(stdout.flush)
    if code == exit.OK and not flushed then code, message = exit.explain(problem) end
  end
  if code == exit.INTERRUPTED then
    -- Closes the pipe of an interrupted question, which waits until the shell has put the terminal's echo back.
    collectgarbage()
    io.stderr:write "\n"
  elseif message then
    io.stderr:write("ampersand: ", message, "\n")
  end
  return code
end

return cli
