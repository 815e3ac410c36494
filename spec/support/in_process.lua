-- Runs the command in the process of a spec: `cli.main` with an environment, standard streams and modules of its own.
-- What it prints, and its exit code, are the real command's (spec/cli/command_spec compares them). What is about being
-- a process is not here: signals, pipes, closed descriptors, terminals.

local core = require "ampersand.core"

local in_process = {}

local search = (package.searchers or package.loaders)[2] -- luacheck: ignore
local loaders = {}

-- The loader of a module of the command, kept: to read all their files takes longer than most commands.
local function loader_of(name)
  loaders[name] = loaders[name] or search(name)
  return loaders[name]
end

-- Takes the command's modules out of a table, so that the next run loads them again; the real command's begin anew, too.
local function take_modules(from)
  local taken = {}
  for name, module in pairs(from) do
    if name:find "^ampersand%.cli" then taken[name] = module end
  end
  for name in pairs(taken) do from[name] = nil end
  return taken
end

local preload = { __index = function(_, name) return name:find "^ampersand%.cli" and loader_of(name) or nil end }

-- What is asked at a terminal takes a process; nothing else does.
local function no_process(command)
  error("it starts a process: " .. command, 0)
end

-- Calls f with modules of its own and some members of tables replaced.
local function apart(replaced, f)
  local modules, before, input = take_modules(package.loaded), {}, io.input()
  setmetatable(package.preload, preload)
  for i, each in ipairs(replaced) do
    before[i] = each[1][each[2]]
    each[1][each[2]] = each[3]
  end
  local ok, result = pcall(f)
  for i, each in ipairs(replaced) do each[1][each[2]] = before[i] end
  setmetatable(package.preload, nil)
  io.input(input)
  take_modules(package.loaded)
  for name, module in pairs(modules) do package.loaded[name] = module end
  if not ok then error(result, 0) end
  return result
end

-- A file without a name that holds a text.
local function file_of(text)
  local file = assert(io.tmpfile())
  file:write(text)
  file:seek("set", 0)
  return file
end

local function text_of(file)
  file:seek("set", 0)
  local text = file:read "*a"
  file:close()
  return text
end

--- Runs a command line.
---@param words string[] without the name of the program
---@param getenv fun(name: string): string?
---@param input string|file*? standard input, or what it holds
---@param given table? stdout (a file; the result has no `out` then), terminals (descriptors: standard error is { [2] = true }),
--   together (true: `out` has what goes to standard error, too, in the order in which it is written), before (called where the
--   command's modules are those of this run)
---@return table result code, out, err
function in_process.run(words, getenv, input, given)
  given = given or {}
  local stdin, stdout, stderr = io.type(input) and input or file_of(input or ""), given.stdout or file_of "", file_of ""
  local terminals = given.terminals or {}
  local code = apart({
    { os, "getenv", getenv }, { os, "exit", function() error "os.exit was called" end },
    { io, "stdin", stdin }, { io, "stdout", stdout }, { io, "stderr", given.together and stdout or stderr },
    { core, "is_terminal", function(descriptor) return terminals[descriptor] or false end },
    { os, "execute", no_process }, { io, "popen", no_process },
  }, function()
    io.input(stdin)
    if given.before then given.before() end
    return require("ampersand.cli").main(words)
  end)
  stdin:close()
  return { code = code, out = text_of(stdout), err = text_of(stderr) }
end

--- Runs a program.
---@param text string
---@param name string as `load` takes it
---@param getenv fun(name: string): string?
---@return string output
function in_process.program(text, name, getenv)
  local out = {}
  local function write(...)
    for i = 1, select("#", ...) do out[#out + 1] = tostring((select(i, ...))) end
  end
  apart({
    { os, "getenv", getenv }, { os, "exit", function() error "os.exit was called" end }, { io, "write", write },
    { _G, "print", function(...)
      for i = 1, select("#", ...) do write(i > 1 and "\t" or "", (select(i, ...))) end
      write "\n"
    end },
  }, assert((loadstring or load)(text, name))) -- luacheck: ignore
  return table.concat(out)
end

return in_process
