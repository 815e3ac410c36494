--- The options of commands as data: { names, description, argname }; one without a value is a flag.
--
--   number       its value is one of NUMBERS
--   several      it may be repeated: its value is a list
--   completes    what completion offers for its value, see cli/complete
--   choices, target, hidden_name   as argparse has them
--
-- A list of options may be a `group` with a title; of its first `exclusive` ones only one may be given. What several
-- commands have is in SHARED, and named in their lists.

local unpack = table.unpack or unpack -- luacheck: ignore

local options = {}

-- Argname, the words for a value that does not fit, and the check.
local NUMBERS = {
  seconds = { "<seconds>", "a positive number", function(n) return n > 0 end },
  count = { "<n>", "a whole number of at least 1", function(n) return n >= 1 and n % 1 == 0 end },
  share = { "<n>", "a share below 1, or a whole number", function(n) return n > 0 and (n < 1 or n % 1 == 0) end },
  port = { "<n>", "a number from 0 to 65535", function(n) return n >= 0 and n <= 65535 and n % 1 == 0 end },
}

--- The formats, as options and as `ctx.kind` name them.
options.FORMATS = { "json", "ndjson", "csv", "tsv", "yaml", "template" }

local SHARED = {
  where = { "--where", "Only matching elements, see below; may be repeated.", "<condition>", several = true },
  in_project = { "--in-project", "Of all integrations of the project." },
  yes = { "-y --yes", "Do not ask; required without a terminal." },
  dry_run = { "--dry-run", "Print what would change; send nothing." },
  parallel = { "--parallel", "How many at once (4).", number = "count" },
  body = { "--body", "The body as JSON, from a file or `-`, standard input.", "<file>" },
  formats = { group = "Output", exclusive = 7,
    { "--json", "JSON, indented." }, { "--ndjson", "One line of JSON each, as they arrive." },
    { "--csv", "Comma-separated values." }, { "--tsv", "Tab-separated values." }, { "--yaml", "YAML." },
    { "--template", [[Text with paths in braces: '{id}\t{group.groupName}'.]], "<text>" },
    { "-o --output", "One of these by name; or table.", "<format>",
      choices = { "table", "json", "ndjson", "csv", "tsv", "yaml" } },
    { "--wide", "More columns, none truncated." },
    { "--no-header", "No line of headings (table, CSV, TSV)." },
    { "--spreadsheet", "CSV in which spreadsheets do not interpret cells as formulas." },
    { "--select", "Only these paths: id,group.groupRef.", "<paths>", several = true },
  },
}

local numeric = {} -- names of options that take a number: the next word is their value even with a minus sign

-- Converts the value of an option; the message for a value that does not fit names the option.
local function converter(names, number)
  for each in names:gmatch "%S+" do numeric[each] = true end
  return function(text)
    local value = tonumber(text)
    if value and value < math.huge and number[3](value) then return value end
    return nil, ("%s: expected %s, got '%s'"):format(names:match "^%S+", number[2], text)
  end
end

local function add_one(command, option)
  local number = NUMBERS[option.number]
  local properties = {
    name = option[1], description = option[2], argname = option[3] or number and number[1],
    convert = number and converter(option[1], number), count = option.several and "*", default = option.several and {},
    choices = option.choices, target = option.target,
  }
  local added = (option.choices or properties.argname) and command:option(properties) or command:flag(properties)
  if option.hidden_name then added:hidden_name(option.hidden_name) end
  added.completes = option.completes
  return added
end

--- Adds a list of options, and the lists in it, to an argparse command.
---@param command table
---@param list (string|table)[]
function options.add(command, list)
  local added = {}
  for _, each in ipairs(list) do
    local option = SHARED[each] or each
    local is_option = type(option[1]) == "string" and option[1]:find "^%-"
    if is_option then added[#added + 1] = add_one(command, option) else options.add(command, option) end
  end
  if list.exclusive then command:mutex(unpack(added, 1, list.exclusive)) end
  if list.group then command:group(list.group, unpack(added)) end
end

--- Joins an option and its number: "-1" alone looks like an option.
---@param words string[]
---@return string[]
function options.join_numbers(words)
  local joined = {}
  for _, word in ipairs(words) do
    if numeric[joined[#joined]] and word:find "^%-[%d.]" then
      joined[#joined] = joined[#joined] .. "=" .. word
    else
      joined[#joined + 1] = word
    end
  end
  return joined
end

return options
