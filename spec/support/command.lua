-- Runs the real command as a user does: through pipes, or on a terminal of its own.

local machine = require "support.machine"

local command = {}
local Session = {}
Session.__index = Session

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

command.quote = quote

local function read(name)
  local file = io.open(name, "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

command.read = read

function command.write(name, text)
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
end

local CLEAN = "AMP_API_KEY AMP_API_URL AMPERSAND_API_KEY AMPERSAND_API_URL AMPERSAND_PROJECT_ID"
  .. " AMPERSAND_INTEGRATION_ID AMPERSAND_ORG_ID AMPERSAND_PROFILE AMPERSAND_BEARER AMPERSAND_WEBHOOK_SECRET AMP_REGION"
  .. " NO_COLOR COLUMNS"

local function folder()
  local name = os.tmpname()
  os.remove(name)
  assert(os.execute("mkdir -m 700 " .. name))
  return name
end

--- A place to run commands in: an empty home; with a mock server its address, key, project and integration, too.
---@param server table? of support.mock
---@return table session
function command.session(server)
  local self = setmetatable({ home = folder(), env = {} }, Session)
  self.env.XDG_CONFIG_HOME, self.env.HOME, self.env.TERM, self.env.LC_ALL = self.home, self.home, "xterm", "C.UTF-8"
  if server then
    self.env.AMP_API_URL, self.env.AMP_API_KEY = server.url:gsub("/v1$", ""), server.key
    self.env.AMPERSAND_PROJECT_ID, self.env.AMPERSAND_INTEGRATION_ID = "my-project", "salesforce"
  end
  return self
end

--- A mock server and a session with it, for all specs of a file.
---@param options table of mock.start
---@return table server, table session
function command.open(options)
  local server = require("support.mock").start(options)
  return server, command.session(server)
end

--- Closes what command.open has opened.
function command.close(server, session)
  if session then session:close() end
  if server then server:stop() end
end

--- Calls `body(session)` with a mock server of its own.
---@param options table of mock.start
---@param body fun(session: table)
function command.with(options, body)
  local server, session = command.open(options)
  local ok, err = pcall(body, session)
  command.close(server, session)
  if not ok then error(err, 0) end
end

function Session:close()
  os.execute("rm -rf " .. quote(self.home))
end

-- A function `ampersand` for the shell, in the session's environment.
function Session:prelude(more)
  local lines = { "unset " .. CLEAN }
  for _, set in ipairs { self.env, more or {} } do
    for name, value in pairs(set) do
      lines[#lines + 1] = value and ("export %s=%s"):format(name, quote(value)) or "unset " .. name
    end
  end
  lines[#lines + 1] = ("ampersand() { %s bin/ampersand \"$@\"; }"):format(os.getenv "LUA" or "lua")
  return table.concat(lines, "\n") .. "\n"
end

--- Runs a shell script in which `ampersand` is the command.
---@param script string
---@param more table? further environment; false unsets
---@return table result code, out, err
function Session:run(script, more)
  local name = self.home .. "/script"
  local file = assert(io.open(name, "w"))
  file:write(self:prelude(more), script, "\n")
  file:close()
  os.execute(("(. %s) >%s.out 2>%s.err </dev/null; echo $? >%s.code"):format(name, name, name, name))
  return { code = tonumber(read(name .. ".code")), out = read(name .. ".out"), err = read(name .. ".err") }
end

local built

local function succeeds(script)
  local ok = os.execute(script)
  return ok == true or ok == 0
end

-- The program that gives a command a terminal; nothing where there is no compiler. The sanitizer is not for compilers.
local function terminal_program()
  if built == nil then
    built = succeeds "command -v ${CC:-cc} >/dev/null" and "build/pty"
    local compile = "mkdir -p build && env -u LD_PRELOAD ${CC:-cc} spec/support/pty.c -o build/pty.$$"
    local made = built and succeeds(compile .. " && mv build/pty.$$ build/pty")
    if built and not made then error "spec/support/pty.c does not compile" end
  end
  return built
end

command.has_terminal = function() return terminal_program() and true or false end
command.NO_TERMINAL = machine.absent("a C compiler", "apt-get install gcc libc6-dev")

--- Runs a shell script on a terminal.
---@param script string
---@param given table? columns, keys to type, delay (seconds before that), env
---@return table result code, out (everything shown, line ends as \n)
function Session:show(script, given)
  given = given or {}
  local name = self.home .. "/shown"
  local file = assert(io.open(name, "w"))
  file:write(self:prelude(given.env), script, "\n")
  file:close()
  os.execute(("%s %d %g %s sh %s >%s.out 2>&1; echo $? >%s.code"):format(terminal_program(), given.columns or 80,
    given.delay or 0, quote(given.keys or ""), name, name, name))
  return { code = tonumber(read(name .. ".code")), out = (read(name .. ".out"):gsub("\r\n", "\n")) }
end

return command
