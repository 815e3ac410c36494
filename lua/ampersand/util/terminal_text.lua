--- Texts of others on their way to a terminal. Pure.

-- How many bytes a sequence beginning with this byte has; nil for bytes that begin none.
local function length_from(first)
  if first < 0x80 then return 1 end
  if first >= 0xC2 and first < 0xE0 then return 2 end
  if first >= 0xE0 and first < 0xF0 then return 3 end
  if first >= 0xF0 and first < 0xF5 then return 4 end
end

-- Bytes that are not UTF-8 become U+FFFD.
local function repair(text)
  local parts, i = {}, 1
  while i <= #text do
    local length = length_from(text:byte(i))
    local character = length and text:sub(i, i + length - 1)
    if character and #character == length and character:find "^.[\128-\191]*$" then
      parts[#parts + 1] = character
      i = i + length
    else
      parts[#parts + 1] = "\239\191\189"
      i = i + 1
    end
  end
  return table.concat(parts)
end

-- C1 controls, and the characters that turn the direction of what is around them.
local MOVERS = { "\194[\128-\159]", "\216\156", "\226\128[\142\143\170-\174]", "\226\129[\166-\169]" }

--- The text with a question mark for everything a terminal would act on: control characters, line breaks too, and
-- those that change the direction of writing.
---@param text string
---@return string
return function(text)
  text = text:gsub("[%z\1-\31\127]", "?")
  if not text:find "[\128-\255]" then return text end
  text = repair(text)
  for _, mover in ipairs(MOVERS) do text = text:gsub(mover, "?") end
  return text
end
