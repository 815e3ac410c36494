--- `--where` and `--select` as the library's conditions and paths. Pure.
--
--   path=a,b   one of      path!=a   another      path>=a path>a path<=a path<a   in order (dates: YYYY-MM-DD)
--   path^=a    begins so   path      is there     !path   is not there
--
-- On a command line everything is text: a value that reads as a number, true, false or null is
-- compared both ways.
-- "in quotes" is text only; `\,` is a comma within a value.

local core = require "ampersand.core"

local filter = {}

local LITERALS = { ["true"] = true, ["false"] = false, null = core.null }

-- The values a word may mean.
local function meanings(word)
  if word:match '^".*"$' then
    local text = core.decode(word)
    if type(text) == "string" then return { text } end
  end
  local literal = LITERALS[word]
  if literal == nil and word:match "^%-?%d" then literal = tonumber(word) end
  if literal == nil then return { word } end
  return { literal, word }
end

local function split_words(text)
  local words = {}
  text = text:gsub("\\,", "\0")
  for part in (text .. ","):gmatch "([^,]*)," do
    words[#words + 1] = part:gsub("%z", ",")
  end
  return words
end

-- `any` and `all` are words of the library's conditions; in a list they are names.
local function condition(path, operator, value)
  return { [(path == "any" or path == "all") and { path } or path] = operator and { [operator] = value } or value }
end

local function any(conditions)
  if #conditions == 1 then return conditions[1] end
  return { any = conditions }
end

local function one_of(path, text)
  local values = {}
  for _, word in ipairs(split_words(text)) do
    for _, value in ipairs(meanings(word)) do values[#values + 1] = value end
  end
  return { condition(path, nil, #values == 1 and values[1] or values) }
end

local function none_of(path, text)
  local all = {}
  for _, word in ipairs(split_words(text)) do
    local each = {}
    for i, value in ipairs(meanings(word)) do each[i] = condition(path, "ne", value) end
    all[#all + 1] = any(each)
  end
  return all
end

local function compared(operator)
  return function(path, text)
    local number = text:match "^%-?[%d.]" and tonumber(text)
    return { condition(path, operator, number or text) }
  end
end

local OPERATORS = {
  { "!=", none_of }, { ">=", compared "gte" }, { "<=", compared "lte" },
  { "^=", function(path, text) return { condition(path, "prefix", text) } end },
  { "=", one_of }, { ">", compared "gt" }, { "<", compared "lt" },
}

local function operator_at(text, at)
  for _, operator in ipairs(OPERATORS) do
    if text:sub(at, at + #operator[1] - 1) == operator[1] then return operator end
  end
end

local function is_path(path)
  return path ~= "" and not path:find "%s" and not ("." .. path .. "."):find("..", 1, true)
end

-- Operators of other languages, and what they are here. Only what stands between path and value can be one.
local FOREIGN = {
  ["=="] = "=", ["==="] = "=", [":="] = "=", [":"] = "=", ["=>"] = ">=", ["=<"] = "<=", ["~="] = "!=", ["<>"] = "!=",
  ["!=="] = "!=",
}

local UNKNOWN = [[--where %q: there is no operator %s%s; known are = != > >= < <= ^=]]
local QUOTED = { ["="] = true, ["!="] = true }

local function unknown_operator(text, operator, known)
  local meant = FOREIGN[operator]
  local words = UNKNOWN:format(text, operator, meant and (" (did you mean %s ?)"):format(meant) or "")
  if not QUOTED[known] then return nil, words end
  return nil, ('%s; a value that begins like one stands in quotes: path%s"…"'):format(words, known)
end

local HELP = "expected path=value, path!=value, path>=value, path^=prefix, path (is there) or !path (is not)"

--- Reads one `--where`.
---@param text string such as "connection.status=bad_credentials,created"
---@return table[]? conditions all of which must hold
---@return string path or message
function filter.where(text)
  local at = text:find("[=<>]", 1)
  if at and text:sub(at - 1, at - 1):find "[!^]" then at = at - 1 end
  if not at then
    local negated, path = text:match "^(!?)(.*)$"
    local strange = path:match "^[^~!^|&%%:%s]+([~!^|&%%:]+)"
    if strange then return unknown_operator(text, strange) end
    if not is_path(path) then return nil, ("--where %q: %s"):format(text, HELP) end
    return { condition(path, "present", negated == "") }, path
  end
  local path, operator = text:sub(1, at - 1), operator_at(text, at)
  if not is_path(path) then return nil, ("--where %q: %s"):format(text, HELP) end
  local strange, value = path:match "[~!^|&%%:]+$", text:sub(at + #operator[1])
  if strange then return unknown_operator(text, strange .. operator[1]) end
  if value:find "^[=<>]" and operator[1] ~= "^=" then
    return unknown_operator(text, operator[1] .. value:match "^[=<>]+", operator[1])
  end
  return operator[2](path, value), path
end

--- Reads all of them.
---@param texts string[]
---@return table[]? conditions
---@return string[]|string paths of the conditions, or message
function filter.conditions(texts)
  local all, paths = {}, {}
  for i, text in ipairs(texts) do
    local conditions, path = filter.where(text)
    if not conditions then return nil, path end
    paths[i] = path
    for _, each in ipairs(conditions) do all[#all + 1] = each end
  end
  return all, paths
end

--- Reads `--select a,b.c`, given once or more.
---@param texts string[]
---@param option string for the message
---@return string[]? paths nil when there are none
---@return string? message
function filter.paths(texts, option)
  local paths = {}
  for text in table.concat(texts, ","):gmatch "[^,]+" do
    local path = text:match "^%s*(.-)%s*$"
    if not is_path(path) then return nil, ("%s %q: expected paths such as id,group.groupRef"):format(option, path) end
    paths[#paths + 1] = path
  end
  if #paths > 0 then return paths end
  if #texts > 0 then return nil, option .. ": expected paths such as id,group.groupRef" end
end

return filter
