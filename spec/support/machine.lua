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
