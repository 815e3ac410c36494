--- The tree of commands: one per resource and verb of operations.lua, and the tools. Built as far as the words given
-- name it, or whole, for completion and the manual.

local argparse = require "argparse"
local exit = require "ampersand.cli.exit"
local extras = require "ampersand.cli.extras"
local help = require "ampersand.cli.help"
local operations = require "ampersand.client.operations"
local argcheck = require "ampersand.util.argcheck"
local tools = require "ampersand.cli.tools"

local unpack = table.unpack or unpack -- luacheck: ignore

local parser = {}

-- Words and errors ------------------------------------------------------------------------------------------------

-- All names that could have stood where `kind` ("option" or "command") was unknown.
local function known_names(at, kind)
  local names = {}
  local element = at
  while element do
    for _, each in ipairs(kind == "option" and element._options or element._commands) do
      if not each._hidden then
        for _, alias in ipairs(each._public_aliases) do names[#names + 1] = alias end
      end
    end
    element = kind == "option" and element._parent
  end
  return names
end

-- argparse's words with our nearest name: theirs forgives one letter only.
local function on_error(at, message)
  local text = message:gsub("\n.*", "")
  if text == "a command is required" then exit.usage(text .. "\n\n" .. at:get_help()) end
  local kind, name = text:match "^unknown (%a+) '(.*)'$"
  if kind then
    local nearest = argcheck.nearest(name:gsub("^%-+", ""), known_names(at, kind))
    if nearest and not (kind == "option" and nearest:sub(1, 1) ~= "-") then
      text = ("%s; did you mean %s?"):format(text, nearest)
    end
  end
  exit.usage(("%s\nTry: %s --help"):format(text, at:_get_fullname()))
end

-- "get_metadata" is called "get-metadata"; the name with underscores is understood too.
local function add_command(to, name, summary)
  local shown = help.dashed(name)
  local command = to:command(shown):summary(summary):help_max_width(80)
  if shown ~= name then command:hidden_name(name) end
  return command
end

-- Options that several commands have -------------------------------------------------------------------------------

local numeric = {} -- options that take a number: what follows them is a value even with a minus sign

-- Reads the value of an option, and names the option when it is refused.
local function reader(name, words, fits)
  numeric[name] = true
  return function(text)
    local number = tonumber(text)
    if number and number < math.huge and fits(number) then return number end
    return nil, ("%s: expected %s, got '%s'"):format(name, words, text)
  end
end

local function as_number(name)
  return reader(name, "a positive number", function(number) return number > 0 end)
end

local function as_count(name)
  return reader(name, "a whole number of at least 1", function(number) return number >= 1 and number % 1 == 0 end)
end

-- A number below zero looks like an option.
local function join_numbers(words)
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

local function add_global(root)
  root:flag("--version", "Print the version."):action(function()
    print("ampersand " .. require("ampersand.version").number)
    os.exit(0)
  end)
  root:group("Settings (see `ampersand config --help`)",
    root:option("--profile", "Settings of this profile of the configuration file."):argname "<name>",
    root:option("--project", "Project, by id or name."):argname "<project>",
    root:option("--integration", "Integration, by id or name."):argname "<integration>",
    root:option("--org", "Organisation, by id."):argname "<id>",
    root:option("--url", "Root of the API, as AMP_API_URL has it."):argname "<url>",
    root:option("--key", "`-`: read the API key from standard input, or the terminal without echo."):argname "-",
    root:option("--bearer", "`-`: read a bearer token likewise."):argname "-")
  root:group("Connection",
    root:option("--timeout", "Seconds for a call with its retries (60)."):argname "<seconds>"
      :convert(as_number "--timeout"),
    root:option("--tries", "How often a call that may be repeated is tried (3)."):argname "<n>"
      :convert(as_count "--tries"),
    root:option("--ca-file", "Certificates to trust instead of the system's."):argname "<file>",
    root:flag("--debug", "Tell every request on standard error."))
  root:group("Display",
    root:option("--color", "Colours: auto, always or never."):argname "<when>":choices { "auto", "always", "never" },
    root:flag("-q --quiet", "No progress, no notes; errors only."),
    root:flag("--show-secrets", "Show tokens and passwords in payloads instead of [redacted]."))
end

local function add_formats(command)
  local formats = {
    command:flag("--json", "JSON, indented."), command:flag("--ndjson", "One line of JSON each, as they arrive."),
    command:flag("--csv", "Comma-separated values."), command:flag("--tsv", "Tab-separated values."),
    command:flag("--yaml", "YAML."),
    command:option("--template", [[Text with paths in braces: '{id}\t{group.groupName}'.]]):argname "<text>",
  }
  command:mutex(unpack(formats))
  formats[#formats + 1] = command:flag("--wide", "More columns, never cut.")
  formats[#formats + 1] = command:flag("--no-header", "No line of headings (table, CSV, TSV)."):target "no_header"
  formats[#formats + 1] = command:option("--select", "Only these paths: id,group.groupRef."):argname "<paths>"
    :count "*":default {}
  command:group("Output", unpack(formats))
end

local function add_list_options(command, op)
  local list = {
    command:option("--where", "Only what fits, see below; repeated: all must hold."):argname "<condition>"
      :count "*":default {},
    command:option("--max", "At most so many."):argname "<n>":convert(as_count "--max"),
    command:option("--sort", "Order by a path."):argname "<path>",
    command:flag("--reverse", "With --sort: the largest, or latest, first."),
    command:flag("--count", "Print only how many there are."),
    command:option("--fail-if", "Exit code 3 if there is any, none, or an unhealthy one."):argname "<what>"
      :choices(op.element == "Installation" and { "any", "empty", "unhealthy" } or { "any", "empty" }),
  }
  if op.verb == "list" and operations.get(op.resource, "in_project") then
    list[#list + 1] = command:flag("--in-project", "Of all integrations of the project."):target "in_project"
  end
  command:group("Which", unpack(list))
  if op.verb ~= "list" or op.element ~= "Installation" then return end
  command:group("Summaries",
    command:flag("--summary", "How many by health, provider and connection status, as bars."),
    command:option("--svg", "Write the summary as a picture; `-`: to standard output."):argname "<file>",
    command:option("--html", "Write the summary as a page that needs nothing else; or `-`."):argname "<file>"
  )
end

-- Every name a query parameter goes by: its own, and ours with dashes.
local function add_query_options(command, op)
  local list = {}
  for _, name in ipairs(op.query_names) do
    local kebab = "--" .. help.dashed(name)
    local option = command:option(kebab, "Query parameter " .. name .. "."):target("query_" .. name):argname "<value>"
    if kebab ~= "--" .. name then option:hidden_name("--" .. name) end
    list[#list + 1] = option
  end
  if #list > 0 then command:group("Parameters", unpack(list)) end
end

local function add_body_options(command)
  command:group("Body",
    command:option("-f --field", "name=text or name:=JSON; dots reach inwards."):argname "<field>":count "*":default {},
    command:option("--body", "The body as JSON, from a file or `-`, standard input."):argname "<file>")
end

-- Verbs -----------------------------------------------------------------------------------------------------------

local function add_verb(resource, op)
  local command = add_command(resource, op.verb, help.summary(op)):description(help.description(op))
  return command
end

local function fill_verb(command, op)
  local usage = "Usage: " .. command:_get_fullname() .. " " .. help.ids(op) .. "[options]"
  command:usage(usage):argument("ids"):args("*"):hidden(true)
  if help.is_list(op) then add_list_options(command, op) end
  if op.returns ~= "none" and op.returns ~= "text" then add_formats(command) end
  add_query_options(command, op)
  if op.body then add_body_options(command) end
  if help.is_destructive(op) then
    command:flag("-y --yes", "Do not ask; needed where nobody can be asked.")
  end
  command:epilog(help.epilog(op))
end

local shared = { formats = add_formats, number = as_number, count = as_count }

-- Which installations a command is about.
function shared.which(command)
  command:option("--where", "Only what fits, see below; repeated: all must hold."):argname "<condition>"
    :count "*":default {}
  command:flag("--in-project", "Of all integrations of the project."):target "in_project"
end

local function add_extra(resource, name, verb, wanted)
  local extra = extras.find(name, verb)
  local command = add_command(resource, verb, extra.summary):description(extra.summary)
  if not wanted then return end
  extra.declare(command, shared)
  command:usage(("Usage: %s %s[options]"):format(command:_get_fullname(), extra.usage or ""))
  command:epilog(help.extra_epilog(extra))
end

local function add_resource(root, name, wanted)
  local verbs = help.dashed(table.concat(help.verbs(name, extras.names(name)), ", "))
  local command = add_command(root, name, verbs):description("Verbs: " .. verbs):command_target "verb"
  if not wanted(name) then return command end
  for _, verb in ipairs(help.verbs(name)) do
    local op = operations.get(name, verb)
    local added = add_verb(command, op)
    if wanted(verb) then fill_verb(added, op) end
  end
  for _, verb in ipairs(extras.names(name)) do add_extra(command, name, verb, wanted(verb)) end
  command:epilog(("Example:\n  %s"):format(help.example(operations.get(name, "list") or
    operations.get(name, argcheck.names(operations.lines[name])[1]))))
  return command
end

--- The resources people work with most, in the order of their use.
parser.MAIN = { "installations", "operations", "connections", "integrations", "providers", "projects" }

local function other_resources()
  local main, others = {}, {}
  for _, name in ipairs(parser.MAIN) do main[name] = true end
  for name in pairs(operations.all_lines()) do
    if not main[name] then others[#others + 1] = name end
  end
  table.sort(others)
  return others
end

local function group(root, title, names, add)
  local commands = {}
  for i, name in ipairs(names) do commands[i] = add(name) end
  root:group(title, unpack(commands))
end

--- Builds the tree.
---@param words string[]? only what these words name is filled in; nil: everything
---@return table root an argparse parser
function parser.build(words)
  local named = {}
  for _, word in ipairs(words or {}) do named[word:gsub("-", "_")] = true end
  local function wanted(name) return not words or named[name:gsub("-", "_")] end
  local root = argparse("ampersand", help.ROOT):command_target "command":help_max_width(80)
    :usage "Usage: ampersand <resource> <verb> [ids] [options]":epilog(help.ROOT_EPILOG)
  root.error = on_error
  add_global(root)
  local function resource(name) return add_resource(root, name, wanted) end
  group(root, "Main resources", parser.MAIN, resource)
  group(root, "Tools", tools.names(), function(name)
    local command = add_command(root, name, tools.summary(name))
    if wanted(name) then tools.declare(name, command, shared) end
    return command
  end)
  group(root, "All other resources", other_resources(), resource)
  return root
end

--- Parses the words of a command line.
---@param words string[]
---@return table args
function parser.parse(words)
  local root = parser.build(words)
  return root:parse(join_numbers(words))
end

return parser
