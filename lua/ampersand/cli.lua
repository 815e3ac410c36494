--- The command `ampersand`. Data goes to standard output, everything else to standard error.
--
-- Reading on: parser (the tree of commands), verbs (operations of the API), show (lists and values on their way out),
-- tools (everything else), exit (the codes).

local unpack = table.unpack or unpack -- luacheck: ignore

local cli = {}

-- Words that need nothing of the rest are answered at once: they are what completion and scripts ask most.
local function quick(words)
  if #words == 1 and words[1] == "--version" then
    print("ampersand " .. require("ampersand.version").number)
    return 0
  end
  if words[1] == "mock" then return require("ampersand.mock").main { unpack(words, 2) } end
end

-- "help installations list" is "installations list --help".
local function run(words)
  if words[1] == "help" then
    words = { unpack(words, 2) }
    words[#words + 1] = "--help"
  end
  local exit, operations = require "ampersand.cli.exit", require "ampersand.client.operations"
  if not pcall(require, "argparse") then
    exit.with(exit.FAILURE, "argparse is missing; install it (Debian: lua-argparse, LuaRocks: argparse)")
  end
  local context = require "ampersand.cli.context"
  local args = require("ampersand.cli.parser").parse(words)
  local tool = require("ampersand.cli.tools").runner(args.command)
  local ctx = context.new(args)
  if tool then
    tool(ctx)
  else
    local resource, verb = args.command:gsub("-", "_"), args.verb:gsub("-", "_")
    local extra = require("ampersand.cli.extras").find(resource, verb)
    if extra then extra.run(ctx) else require("ampersand.cli.verbs").run(ctx, operations.get(resource, verb)) end
  end
  require("ampersand.cli.output").flush()
end

local function explain(raised)
  if type(raised) == "string" and not raised:find "interrupted!$" then return debug.traceback(raised, 2) end
  return raised
end

--- Runs a command line.
---@param words string[] without the name of the program
---@return integer code for os.exit
function cli.main(words)
  local ok, raised = xpcall(function() return quick(words) or run(words) or 0 end, explain)
  if ok then return raised end
  local code, message = require("ampersand.cli.exit").explain(raised)
  if code == 130 then io.stderr:write "\n" end
  if code ~= 141 then pcall(io.stdout.flush, io.stdout) end
  if message then io.stderr:write("ampersand: ", message, "\n") end
  return code
end

return cli
