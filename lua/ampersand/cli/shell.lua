--- Words of a shell.

local shell = {}

--- A text as one word.
---@param text string
---@return string
function shell.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

return shell
