--- Options that several commands have.

local exit = require "ampersand.cli.exit"
local stdout = require "ampersand.cli.stdout"

local unpack = table.unpack or unpack -- luacheck: ignore

local options = {}

--- The action of an option that prints and ends: argparse's own prints without looking at the result.
---@param text fun(): string
function options.print(text)
  return function()
    stdout.write(text() .. "\n")
    exit.with(exit.OK)
  end
end

--- Gives an argparse command our --help.
function options.help(command)
  return command:add_help { action = options.print(function() return command:get_help() end) }:help_max_width(80)
end

--- Sets the usage line of a command, broken before words that would not fit into 80 columns.
---@param arguments string "<method> <path> "
function options.usage(command, arguments)
  local lines, line = {}, "Usage: " .. command:_get_fullname()
  for word in (arguments .. "[options]"):gmatch "%S+" do
    if #line + 1 + #word > 80 then
      lines[#lines + 1] = line
      line = "      "
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  command:usage(table.concat(lines, "\n"))
end

--- Adds a command within a command.
function options.command(to, name, summary)
  return options.help(to:command(name)):summary(summary)
end

local numeric = {} -- options that take a number: the next word is their value even with a minus sign

-- Converts the value of an option; the message for a value that does not fit names the option.
local function converter(name, words, fits)
  for each in name:gmatch "%S+" do numeric[each] = true end
  name = name:match "^%S+"
  return function(text)
    local number = tonumber(text)
    if number and number < math.huge and fits(number) then return number end
    return nil, ("%s: expected %s, got '%s'"):format(name, words, text)
  end
end

local function numbers(argname, words, fits)
  return function(command, name, description, other)
    return command:option(name, description):argname(other or argname):convert(converter(name, words, fits))
  end
end

--- Adds an option that takes a positive number.
options.number = numbers("<seconds>", "a positive number", function(n) return n > 0 end)

--- Adds an option that takes a count.
options.count = numbers("<n>", "a whole number of at least 1", function(n) return n >= 1 and n % 1 == 0 end)

--- Adds an option that takes a share or a count.
options.share = numbers("<n>", "a share below 1, or a whole number", function(n)
  return n > 0 and (n < 1 or n % 1 == 0)
end)

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

--- Adds an option that may be repeated.
function options.several(command, name, description, argname)
  return command:option(name, description):argname(argname):count "*":default {}
end

--- The formats, as options and as `ctx.kind` name them.
options.FORMATS = { "json", "ndjson", "csv", "tsv", "yaml", "template" }

--- Adds the options of commands that print values.
function options.formats(command)
  local formats = {
    command:flag("--json", "JSON, indented."), command:flag("--ndjson", "One line of JSON each, as they arrive."),
    command:flag("--csv", "Comma-separated values."), command:flag("--tsv", "Tab-separated values."),
    command:flag("--yaml", "YAML."),
    command:option("--template", [[Text with paths in braces: '{id}\t{group.groupName}'.]]):argname "<text>",
    command:option("-o --output", "One of these by name; or table."):argname "<format>"
      :choices { "table", "json", "ndjson", "csv", "tsv", "yaml" },
  }
  command:mutex(unpack(formats))
  formats[#formats + 1] = command:flag("--wide", "More columns, none truncated.")
  formats[#formats + 1] = command:flag("--no-header", "No line of headings (table, CSV, TSV)."):target "no_header"
  formats[#formats + 1] = command:flag("--spreadsheet", "CSV in which spreadsheets do not interpret cells as formulas.")
  formats[#formats + 1] = options.several(command, "--select", "Only these paths: id,group.groupRef.", "<paths>")
  command:group("Output", unpack(formats))
end

function options.where(command)
  return options.several(command, "--where", "Only matching elements, see below; may be repeated.", "<condition>")
end

function options.in_project(command)
  return command:flag("--in-project", "Of all integrations of the project."):target "in_project"
end

function options.yes(command)
  command:flag("-y --yes", "Do not ask; required without a terminal.")
end

function options.dry_run(command)
  command:flag("--dry-run", "Print what would change; send nothing."):target "dry_run"
end

function options.parallel(command)
  options.count(command, "--parallel", "How many at once (4).")
end

function options.header(command, description)
  options.several(command, "-H --header", description, "<header>")
end

--- Adds the two options that make a body.
---@return table field, table body
function options.body(command, description)
  return options.several(command, "-f --field", description, "<field>"),
    command:option("--body", "The body as JSON, from a file or `-`, standard input."):argname "<file>"
end

return options
