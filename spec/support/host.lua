-- Runs programs that host Lua, with the module under test on absolute paths: some change their directory.

local machine = require "support.machine"

local host = {}

local HERE = os.getenv "PWD"

local function absolute(path)
  return ((";" .. path):gsub(";([^/;])", ";" .. HERE .. "/%1"):sub(2))
end

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

--- Marks the spec as pending where a program is not installed.
---@param pending function busted's, which only the spec file itself sees
---@param program string
---@param package string Debian's
function host.need(pending, program, package)
  if not machine.has(program) then
    pending(machine.absent(program, "apt-get install " .. package))
  end
end

--- Runs a command of the shell against a mock server, for at most a minute.
---@param command string
---@param server table of support.mock
---@param variables table<string, string>? further ones
---@return string output stdout and stderr
function host.run(command, server, variables)
  local all = {
    AMP_API_URL = server.url:gsub("/v1$", ""), AMP_API_KEY = server.key, AMPERSAND_PROJECT_ID = server.project,
    AMPERSAND_INTEGRATION_ID = server.integration,
    LUA_PATH = absolute(os.getenv "LUA_PATH" or ";;"), LUA_CPATH = absolute(os.getenv "LUA_CPATH" or ";;"),
  }
  for name, value in pairs(variables or {}) do all[name] = value end
  local words = {}
  for name, value in pairs(all) do words[#words + 1] = name .. "=" .. quote(value) end
  local pipe = assert(io.popen(("env %s timeout 60 %s 2>&1 </dev/null"):format(table.concat(words, " "), command)))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

--- The absolute path of a file of the project.
---@param name string
---@return string
function host.path(name) return HERE .. "/" .. name end

return host
