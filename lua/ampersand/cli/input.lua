--- What a command reads: files, bodies, `name=value` words, conditions.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local deep = require "ampersand.util.deep"

local input = {}

--- How long a file may be.
input.MAX_FILE = 2 ^ 26 -- bytes

--- The text of a file, at most MAX_FILE; `-` is standard input.
---@param name string
---@param what string? the option, for the message
---@return string
function input.file(name, what)
  local file, why
  if name == "-" then file = io.stdin else file, why = io.open(name, "rb") end
  local text
  if file then text, why = file:read(input.MAX_FILE + 1) end
  if file and not why then text = text or "" end -- an empty file
  if file and name ~= "-" then file:close() end
  if text and #text > input.MAX_FILE then text, why = nil, ("it is longer than %d bytes"):format(input.MAX_FILE) end
  return text or exit.usage(("%scannot read %s: %s"):format(what and what .. ": " or "", name, why or "no text"))
end

-- Editors of Windows put a byte order mark first.
local function decode(text, what)
  local value, why = core.decode((text:gsub("^\239\187\191", "")))
  if value == nil then exit.usage(("%s: %s"):format(what, why)) end
  return value
end

--- Reads assignments: path=text, or path:=JSON.
---@param words string[]
---@param option string for the message
---@return table[] assignments { path, value }
function input.assignments(words, option)
  local list = {}
  for i, word in ipairs(words) do
    local path, mark, value = word:match "^([^=:]+)(:?=)(.*)$"
    if not path then exit.usage(("%s %q: expected name=text or name:=JSON"):format(option, word)) end
    if mark == ":=" then value = decode(value, option .. " " .. path) end
    list[i] = { path = path, value = value }
  end
  return list
end

--- Puts the fields of `--field` into a body.
---@param body table
---@param words string[]
---@return table body
function input.fields(body, words)
  for _, field in ipairs(input.assignments(words, "--field")) do
    if not deep.split(field.path) then exit.usage(("--field %s: a name is empty"):format(field.path)) end
    deep.set(body, field.path, field.value)
  end
  return body
end

--- The body of `--body` and `--field`; nil without them.
---@param args table
function input.body(args)
  local body
  if args.body then
    body = decode(input.file(args.body, "--body"), "--body " .. (args.body == "-" and "(standard input)" or args.body))
  end
  if args.field and #args.field > 0 then
    if body ~= nil and type(body) ~= "table" then exit.usage "--field: the body is not a JSON object" end
    body = input.fields(body or {}, args.field)
  end
  return body
end

--- Reads `name=value` and `Name: value` words.
---@param words string[]
---@param pattern string with two captures
---@param message string with a %q for the word
---@return table<string, string>
function input.pairs(words, pattern, message)
  local found = {}
  for _, word in ipairs(words) do
    local name, value = word:match(pattern)
    if not name then exit.usage(message:format(word)) end
    found[name] = value
  end
  return found
end

--- The headers of `--header`.
function input.headers(words)
  return input.pairs(words, "^([^:%s]+):%s*(.*)$", "--header %q: expected 'Name: value'")
end

return input
