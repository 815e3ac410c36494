--- Commands of the shell, for what Lua cannot do by itself.

local shell = {}

--- A text as one word.
---@param text string
---@return string
function shell.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a command and reads what it prints.
---@param command string
---@return string output
function shell.read(command)
  local pipe = io.popen(command, "r")
  local text = pipe and pipe:read "*a"
  if pipe then pipe:close() end
  return text or ""
end

return shell
