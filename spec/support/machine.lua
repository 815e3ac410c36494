-- What this machine has, and what is said where it lacks something.

local core = require "ampersand.core"

local machine = {}

--- Whether a shell command succeeds.
---@param command string
---@return boolean
function machine.succeeds(command)
  local ok = os.execute("{ " .. command .. "\n} >/dev/null 2>&1")
  return ok == true or ok == 0
end

--- Whether a program can be found.
---@param program string
---@return boolean
function machine.has(program)
  for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
    local permissions = core.permissions(folder .. "/" .. program)
    if permissions and permissions:find "^%-.*x" then return true end
  end
  return false
end

--- The version of the Lua that a program hosts, as its libraries or itself name it.
---@param program string
---@param otherwise string where it is absent, or does not say
---@return string such as "5.4"
function machine.lua_of(program, otherwise)
  if not machine.has(program) then return otherwise end
  local pipe = assert(io.popen(('{ ldd "$(command -v %s)" | grep -o "liblua[-.0-9]*" || %s --version; } 2>&1'):format(program, program)))
  local text = pipe:read "*a"
  pipe:close()
  return text:match "[Ll]ua[- ]?(5%.%d)" or otherwise
end

--- LUA_PATH and LUA_CPATH as assignments of the shell, for programs that run in another folder.
---@return string
function machine.paths()
  local here, words = os.getenv "PWD", {}
  for _, name in ipairs { "LUA_PATH", "LUA_CPATH" } do
    local path = (";" .. (os.getenv(name) or ";;")):gsub(";([^/;])", ";" .. here:gsub("%%", "%%%%") .. "/%1")
    words[#words + 1] = ("%s='%s'"):format(name, path:sub(2))
  end
  return table.concat(words, " ")
end

--- The words for `pending` where an optional machine is absent. (What lists installations is never pending.)
---@param what string
---@param remedy string what to type
---@return string
function machine.absent(what, remedy)
  return what .. " is absent: " .. remedy
end

return machine
