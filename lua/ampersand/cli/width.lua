--- How many columns of a terminal a text takes, and how to make it take fewer. Pure.
--
-- Marks that combine take none, East Asian wide characters and emoji take two. What could repaint a terminal (control
-- characters, bytes that are not UTF-8) is made visible instead.

local width = {}

-- Code points of no width, and of two columns: first, last, first, last … in order.
local NONE = {
  0x300, 0x36F, 0x483, 0x489, 0x591, 0x5BD, 0x5BF, 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x610, 0x61A, 0x64B, 0x65F,
  0x670, 0x670, 0x6D6, 0x6DC, 0x6DF, 0x6E4, 0x6E7, 0x6E8, 0x6EA, 0x6ED, 0x900, 0x902, 0x93A, 0x93A, 0x93C, 0x93C,
  0x941, 0x948, 0x94D, 0x94D, 0x951, 0x957, 0x981, 0x981, 0x9BC, 0x9BC, 0x9CD, 0x9CD, 0xE31, 0xE31, 0xE34, 0xE3A,
  0xE47, 0xE4E, 0x1160, 0x11FF, 0x1AB0, 0x1AFF, 0x1DC0, 0x1DFF, 0x200B, 0x200F, 0x202A, 0x202E, 0x2060, 0x2064,
  0x20D0, 0x20FF, 0x302A, 0x302D, 0x3099, 0x309A, 0xFE00, 0xFE0F, 0xFE20, 0xFE2F, 0xFEFF, 0xFEFF, 0x1F3FB, 0x1F3FF,
  0xE0100, 0xE01EF,
}
local TWO = {
  0x1100, 0x115F, 0x231A, 0x231B, 0x23E9, 0x23EC, 0x23F0, 0x23F0, 0x25FD, 0x25FE, 0x2614, 0x2615, 0x2648, 0x2653,
  0x267F, 0x267F, 0x2693, 0x2693, 0x26A1, 0x26A1, 0x26AA, 0x26AB, 0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26CE, 0x26CE,
  0x26D4, 0x26D4, 0x26EA, 0x26EA, 0x26F2, 0x26F3, 0x26F5, 0x26F5, 0x26FA, 0x26FA, 0x26FD, 0x26FD, 0x2705, 0x2705,
  0x270A, 0x270B, 0x2728, 0x2728, 0x274C, 0x274C, 0x274E, 0x274E, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797,
  0x27B0, 0x27B0, 0x2B1B, 0x2B1C, 0x2B50, 0x2B50, 0x2B55, 0x2B55, 0x2E80, 0x303E, 0x3041, 0x33FF, 0x3400, 0x4DBF,
  0x4E00, 0xA4CF, 0xA960, 0xA97F, 0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F, 0xFF00, 0xFF60, 0xFFE0, 0xFFE6,
  0x1F004, 0x1F004, 0x1F18E, 0x1F18E, 0x1F191, 0x1F19A, 0x1F200, 0x1F320, 0x1F32D, 0x1F335, 0x1F337, 0x1F37C, 0x1F37E,
  0x1F393, 0x1F3A0, 0x1F3CA, 0x1F3E0, 0x1F3F0, 0x1F400, 0x1F4FC, 0x1F4FF, 0x1F53D, 0x1F54B, 0x1F567, 0x1F5FB, 0x1F64F,
  0x1F680, 0x1F6C5, 0x1F6D0, 0x1F6D2, 0x1F6EB, 0x1F6EC, 0x1F6F4, 0x1F6FC, 0x1F7E0, 0x1F7EB, 0x1F90C, 0x1F9FF, 0x1FA70,
  0x1FAFF, 0x20000, 0x3FFFD,
}

local function within(ranges, code)
  for i = 1, #ranges, 2 do
    if code < ranges[i] then return false end
    if code <= ranges[i + 1] then return true end
  end
  return false
end

local known = {} -- character -> columns: texts repeat their characters

local function code_point(character)
  local first = character:byte()
  if first < 0x80 then return first end
  local code = first % (first < 0xE0 and 0x20 or first < 0xF0 and 0x10 or 0x08)
  for i = 2, #character do code = code * 64 + character:byte(i) % 64 end
  return code
end

local function columns_of(character)
  local columns = known[character]
  if not columns then
    local code = code_point(character)
    columns = within(NONE, code) and 0 or within(TWO, code) and 2 or 1
    known[character] = columns
  end
  return columns
end

local CHARACTER = "[%z\1-\127\192-\255][\128-\191]*"

--- Columns of a text that `clean` has passed.
---@param text string
---@return integer columns
function width.of(text)
  if not text:find "[\128-\255]" then return #text end
  local total = 0
  for character in text:gmatch(CHARACTER) do total = total + columns_of(character) end
  return total
end

-- How many bytes a sequence beginning with this byte has; nil for bytes that begin none.
local function length_from(first)
  if first < 0x80 then return 1 end
  if first >= 0xC2 and first < 0xE0 then return 2 end
  if first >= 0xE0 and first < 0xF0 then return 3 end
  if first >= 0xF0 and first < 0xF5 then return 4 end
end

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

--- The text as one line without anything a terminal would act on.
---@param text string
---@return string
function width.clean(text)
  text = text:gsub("[\t\r\n]", " "):gsub("[%z\1-\31\127]", "?")
  if not text:find "[\128-\255]" then return text end
  -- C1 controls, and the characters that turn the direction of what follows them
  return (repair(text):gsub("\194[\128-\159]", "?"):gsub("\226\128[\170-\174]", "?"):gsub("\226\129[\166-\169]", "?"))
end

--- The beginning of a text, at most `limit` columns, closed by an ellipsis when something is left out.
---@param text string
---@param limit integer at least 1
---@return string
function width.cut(text, limit)
  if width.of(text) <= limit then return text end
  local parts, total = {}, 0
  for character in text:gmatch(CHARACTER) do
    total = total + columns_of(character)
    if total > limit - 1 then break end
    parts[#parts + 1] = character
  end
  return table.concat(parts) .. "…"
end

--- The text with blanks behind it, up to `columns`.
---@param text string
---@param columns integer
---@return string
function width.pad(text, columns)
  return text .. (" "):rep(columns - width.of(text))
end

return width
