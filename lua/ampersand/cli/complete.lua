--- What a shell may offer for the word being typed: `ampersand __complete WORDS`, one candidate a line, with a tab and
-- its description behind it; `:files` leaves the word to the shell. The scripts of `ampersand completion` ask for it.

local columns = require "ampersand.cli.output.columns"
local config = require "ampersand.cli.config"
local fields = require "ampersand.client.fields"
local parser = require "ampersand.cli.parser"
local stdout = require "ampersand.cli.stdout"

local complete = {}

local function first_line(text)
  return (text or ""):match "^[^\n]*"
end

-- The values that an option or argument itself says it completes.
local sources = {}

function sources.profiles()
  local _, order = config.load()
  return order
end

function sources.settings()
  local names = {}
  for i, setting in ipairs(config.SETTINGS) do names[i] = setting.name end
  return names
end

-- The paths of tables first, then what else the element has.
local function paths_of(command)
  local list, seen = {}, {}
  local function take(path)
    if not seen[path] then list[#list + 1] = path end
    seen[path] = true
  end
  for _, column in ipairs(columns.of(command.element, true) or {}) do take(column.path) end
  for _, name in ipairs(command.element and fields.names(command.element) or {}) do take(name) end
  return list
end

-- By the name of the value in --help: what stands before a path, and what behind it.
local AROUND = { ["<path>"] = { "^", "" }, ["<paths>"] = { "^.*,", "" }, ["<condition>"] = { "^!", "=" } }

-- The candidates of an option or argument, a list of { text, description }, and what stands before each.
local function values(element, command, text)
  if not element or element._argname == "<file>" then return { ":files" }, "" end
  local list, around = {}, AROUND[element._argname]
  if element._choices then return element._choices, "" end
  if element.completes then return sources[element.completes](), "" end
  if element._argname == "<field>" then
    for i, field in ipairs(command and command.body or {}) do list[i] = field.name .. "=" end
  elseif around then
    for i, path in ipairs(paths_of(command or {})) do list[i] = path .. around[2] end
  end
  return list, around and text:match(around[1]) or ""
end

local function find_option(at, name)
  while at do
    for _, option in ipairs(at._options) do
      for _, alias in ipairs(option._aliases) do
        if alias == name then return option end
      end
    end
    at = at._parent
  end
end

local function options_of(at)
  local list = {}
  while at do
    for _, option in ipairs(at._options) do
      local names = option._public_aliases
      if not option._hidden then list[#list + 1] = { names[#names], first_line(option._description) } end
    end
    at = at._parent
  end
  return list
end

local function commands_of(at)
  local list = {}
  for i, command in ipairs(at._commands) do list[i] = { command._name, first_line(command:_get_description()) } end
  return list
end

-- Where the words before the last one lead: a command, the option whose value is next, how many arguments there are.
local function follow(root, words)
  local at, option, arguments = root, nil, 0
  for i = 1, #words - 1 do
    local word, next_command = words[i], parser.find(at, words[i])
    if option then
      option = nil
    elseif word:find "^%-." then
      option = find_option(at, word:match "^[^=]*")
      if option and (option._maxargs == 0 or word:find("=", 1, true)) then option = nil end
    elseif next_command then
      at = next_command
    else
      arguments = arguments + 1
    end
  end
  return at, option, arguments
end

local function runs(at)
  return at.runs or at._parent and runs(at._parent)
end

--- The candidates for the last of the words.
---@param words string[]
---@return (string|table)[] candidates
function complete.candidates(words)
  local before = { (table.unpack or unpack)(words, 1, #words - 1) } -- luacheck: ignore
  local at, option, arguments = follow(parser.build(before), words)
  local text = words[#words] or ""
  local name, rest = text:match "^(%-%-[^=]+)=(.*)$"
  local list, prefix
  if option then
    list, prefix = values(option, runs(at), text)
  elseif name then
    list, prefix = values(find_option(at, name), runs(at), rest)
    prefix = name .. "=" .. prefix
  elseif text:find "^%-" then
    list, prefix = options_of(at), ""
  elseif #at._commands > 0 then
    list, prefix = commands_of(at), ""
  else
    list, prefix = values(at._arguments[arguments + 1], runs(at), text)
  end
  local found = {}
  for _, each in ipairs(list) do
    local candidate = type(each) == "table" and each or { each }
    local whole = prefix .. candidate[1]
    if candidate[1] == ":files" then return { ":files" } end
    if whole:sub(1, #text) == text then found[#found + 1] = { whole, candidate[2] } end
  end
  return found
end

-- bash breaks words at "=" and ":"; the pieces are joined again, and what is joined is taken off the candidates.
local function join_pieces(words)
  local joined, cut = {}, ""
  for i, word in ipairs(words) do
    local glued = word:find "^[=:]" or i > 1 and words[i - 1]:find "^[=:]+$"
    if glued and #joined > 0 then
      cut = word:find "^[=:]+$" and joined[#joined] .. word or joined[#joined]
      joined[#joined] = joined[#joined] .. word
    else
      joined[#joined + 1], cut = word, ""
    end
  end
  return joined, cut
end

--- Prints the candidates.
---@param words string[] those typed, the last one possibly empty
function complete.run(words)
  local joined, cut = join_pieces(words)
  for _, each in ipairs(complete.candidates(joined)) do
    local rest = each == ":files" and each or each[1]:sub(#cut + 1) .. "\t" .. (each[2] or "")
    if rest ~= "\t" then stdout.write(rest .. "\n") end
  end
end

return complete
