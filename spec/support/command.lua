-- Runs the command: as a user does, through pipes or on a terminal of its own; or in the process of the spec.

local in_process = require "support.in_process"
local machine = require "support.machine"
local server = require "support.server"

local command = {}
local Session = {}
Session.__index = Session

local quote, read = server.quote, server.read
command.quote, command.read = quote, read

function command.write(name, text)
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
end

-- What a session does not take over from the environment of the specs.
local CLEAN = {
  "AMP_API_KEY", "AMP_API_URL", "AMPERSAND_API_KEY", "AMPERSAND_API_URL", "AMPERSAND_PROJECT_ID", "AMPERSAND_INTEGRATION_ID",
  "AMPERSAND_ORG_ID", "AMPERSAND_PROFILE", "AMPERSAND_BEARER", "AMPERSAND_WEBHOOK_SECRET", "AMP_WEBHOOK_SECRET", "AMP_REGION", "NO_COLOR",
  "COLUMNS",
}

--- A place to run commands in: an empty home; with a mock server its address, key, project and integration, too.
---@param mock table? of support.mock
---@return table session
function command.session(mock)
  local self = setmetatable({ home = server.folder_for_programs(), env = {}, started = {} }, Session)
  self.env.XDG_CONFIG_HOME, self.env.HOME, self.env.TERM, self.env.LC_ALL = self.home, self.home, "xterm", "C.UTF-8"
  if mock then
    self.env.AMP_API_URL, self.env.AMP_API_KEY = mock.url:gsub("/v1$", ""), mock.key
    self.env.AMPERSAND_PROJECT_ID, self.env.AMPERSAND_INTEGRATION_ID = "my-project", "salesforce"
  end
  return self
end

--- A mock server and a session with it, for all specs of a file.
---@param options table of mock.start
---@return table mock, table session
function command.open(options)
  local mock = require("support.mock").start(options)
  return mock, command.session(mock)
end

--- Closes what command.open has opened.
function command.close(mock, session)
  if session then session:close() end
  if mock then mock:stop() end
end

--- Calls `body(session, mock)` with a mock server of its own.
---@param options table of mock.start
---@param body fun(session: table, mock: table)
function command.with(options, body)
  local mock, session = command.open(options)
  local ok, err = pcall(body, session, mock)
  command.close(mock, session)
  if not ok then error(err, 0) end
end

function Session:close()
  for _, each in ipairs(self.started) do each:kill() end
  server.remove(self.home)
end

-- In the process of the spec -----------------------------------------------------------------------------------------

-- What a word may be made of, and whether `$NAME` counts in it.
local PARTS = { { "^'([^']*)'" }, { "^\\(.)" }, { '^"([^"\\`]*)"', true }, { "^([^%s'\"\\|&;<>()`]+)", true } }

-- The next part of a word, and where it ends.
local function part_of(line, at, getenv)
  for _, part in ipairs(PARTS) do
    local _, last, text = line:find(part[1], at)
    if last and part[2] then text = text:gsub("%$(%u[%u_]*)", function(name) return getenv(name) or "" end) end
    if last and not (part[2] and text:find("$", 1, true)) then return text, last end
  end
end

-- The words of a command line as a shell reads them; nil where that takes a shell: pipes, lists, redirections, `$(…)`.
local function words_of(line, getenv)
  local words, at, word = {}, 1, nil
  while at <= #line do
    local blank = line:match("^%s+()", at)
    if blank then
      words[#words + 1], word, at = word, nil, blank
    else
      local text, last = part_of(line, at, getenv)
      if not text then return nil end
      word, at = (word or "") .. text, last + 1
    end
  end
  words[#words + 1] = word
  return words
end

-- os.getenv in the session's environment.
function Session:getenv(more)
  local env = {}
  for _, name in ipairs(CLEAN) do env[name] = false end
  for _, set in ipairs { self.env, more or {} } do
    for name, value in pairs(set) do env[name] = value end
  end
  local getenv = os.getenv
  return function(name)
    if env[name] ~= nil then return env[name] or nil end
    return getenv(name)
  end
end

--- Runs one command line in this process, for what is not about a process: words, tables, exit codes, requests.
---@param line string "ampersand", and words as a shell has them; variables may be set before it
---@param more table? further environment; false unsets
---@param input string|file*? standard input
---@param given table? of in_process.run
---@return table result code, out, err
function Session:call(line, more, input, given)
  return self:try(line, more, input, given) or error("this takes a shell: " .. line, 2)
end

--- The same where the line is a command line; nil where it takes a shell.
---@return table? result
function Session:try(line, more, input, given)
  local set, words = {}, words_of(line, self:getenv(more)) or {}
  for name, value in pairs(more or {}) do set[name] = value end
  while words[1] and words[1]:find "^[%u_]+=" do
    local name, value = table.remove(words, 1):match "^(.-)=(.*)$"
    set[name] = value
  end
  if table.remove(words, 1) ~= "ampersand" then return nil end
  return in_process.run(words, self:getenv(set), input, given)
end

-- In processes -------------------------------------------------------------------------------------------------------

local LUA = os.getenv "LUA" or "lua"

-- The session's environment, and a function `ampersand`, for the shell.
function Session:prelude(more)
  local lines = { "unset " .. table.concat(CLEAN, " ") }
  for _, set in ipairs { self.env, more or {} } do
    for name, value in pairs(set) do
      lines[#lines + 1] = value and ("export %s=%s"):format(name, quote(value)) or "unset " .. name
    end
  end
  lines[#lines + 1] = ("ampersand() { %s bin/ampersand \"$@\"; }"):format(LUA)
  return table.concat(lines, "\n") .. "\n"
end

-- The text of a script, and whether it is a single command: that takes the place of its shell, in `runner` if one is
-- given, since the processes are most of what it costs.
function Session:text(script, more, runner)
  local words = words_of((script:gsub("%s*%d?[<>]&?[%w/-]+", "")), self:getenv(more)) -- without redirections
  local is_command = words and words[1] == "ampersand"
  if is_command then
    script = script:gsub("^%s*ampersand", ("exec %s%s bin/ampersand"):format(runner or "", LUA))
  end
  return self:prelude(more) .. script .. "\n", is_command
end

-- The exit code out of what os.execute returns: a status of waitpid in Lua 5.1.
local function code_of(ok, how, code)
  if type(ok) == "number" then return ok % 128 > 0 and 128 + ok % 128 or math.floor(ok / 256) end
  return how == "signal" and 128 + code or code
end

--- Runs a shell script in which `ampersand` is the command.
---@param script string
---@param more table? further environment; false unsets
---@return table result code, out, err
function Session:run(script, more)
  local out, err = self.home .. "/.out", self.home .. "/.err"
  local code = code_of(os.execute(("exec >%s 2>%s </dev/null\n%s"):format(quote(out), quote(err), self:text(script, more))))
  return { code = code, out = read(out), err = read(err) }
end

-- The name of a script, and of what it writes.
function Session:name()
  self.scripts = (self.scripts or 0) + 1
  return ("%s/.%d"):format(self.home, self.scripts)
end

local Background = {}
Background.__index = Background

--- Starts a shell script in the background.
---@param script string
---@param more table? further environment; false unsets
---@return table background pid
function Session:start(script, more)
  local name = self:name()
  local pipe = assert(io.popen(("exec 2>/dev/null; (%s) >%s.out 2>%s.err </dev/null & echo $!; wait $!; echo $?"):format(
    self:text(script, more), name, name)))
  local started = setmetatable({ name = name, pipe = pipe, pid = tonumber(pipe:read "*l") }, Background)
  self.started[#self.started + 1] = started
  return started
end

--- What it has written so far.
---@param stream string? "err": to standard error
function Background:output(stream) return read(("%s.%s"):format(self.name, stream or "out")) end

--- Waits until `condition(output)` holds.
function Background:await(condition)
  assert(server.await(20, function() return condition(self:output()) end), "it did not come to this")
  return self
end

--- Sends a signal.
---@param name string "INT"
function Background:signal(name)
  os.execute(("kill -%s %d"):format(name, self.pid))
  return self
end

--- Kills it where it has not ended.
function Background:kill()
  if not self.ended then self:signal "KILL" end
  self.ended = true
end

--- Waits for its end; what runs for a minute is killed.
---@return table result code, out, err
function Background:wait()
  self.ended = server.await(60, function() return not server.alive(self.pid) end)
  self:kill()
  local code = tonumber(self.pipe:read "*l")
  self.pipe:close()
  return { code = code, out = self:output(), err = self:output "err" }
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
    local made = built and succeeds("test build/pty -nt spec/support/pty.c || { " .. compile .. " && mv build/pty.$$ build/pty; }")
    if built and not made then error "spec/support/pty.c does not compile" end
  end
  return built
end

command.has_terminal = function() return terminal_program() and true or false end
command.NO_TERMINAL = machine.absent("a C compiler", "apt-get install gcc libc6-dev")

local Terminal = {}
Terminal.__index = Terminal

--- Starts a shell script on a terminal, and types the keys once there is what they are an answer to.
---@param script string
---@param given table? columns, keys to type, after (what is shown before that, or a function; nil: anything), env
---@return table terminal
function Session:terminal(script, given)
  given = given or {}
  local name, after = self:name(), given.after or "."
  local runner = ("%s %d "):format(terminal_program(), given.columns or 80)
  local text, is_command = self:text(script, given.env, runner)
  if not is_command then
    command.write(name, text)
    text = ("exec %s sh %s"):format(runner, name)
  end
  local pipe = assert(io.popen(("exec >%s.out 2>&1\n%s"):format(name, text), "w"))
  if given.keys then
    assert(server.await(20, type(after) == "function" and after or function() return read(name .. ".out"):find(after) end),
      "what the keys are an answer to did not come")
    pipe:write(given.keys)
    pipe:flush()
  end
  return setmetatable({ name = name, pipe = pipe }, Terminal)
end

--- Waits for its end.
---@return table result code, out (everything shown, line ends as \n)
function Terminal:wait()
  self.pipe:close()
  local out, code = read(self.name .. ".out"):match "^(.*)\n(%d+)\n$"
  return { code = tonumber(code), out = (out:gsub("\r\n", "\n")) }
end

--- Runs a shell script on a terminal, as `terminal` does, to its end.
---@return table result code, out
function Session:show(script, given)
  return self:terminal(script, given):wait()
end

return command
