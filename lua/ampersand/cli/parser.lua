--- The tree of commands for argparse: one per resource and verb, and the tools. Filled in as far as the words given
-- name it, or whole, for the manual.

local argcheck = require "ampersand.util.argcheck"
local argparse = require "argparse"
local commands = require "ampersand.cli.commands"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local operations = require "ampersand.client.operations"
local options = require "ampersand.cli.options"
local stdout = require "ampersand.cli.stdout"
local version = require "ampersand.version"

local unpack = table.unpack or unpack -- luacheck: ignore

local parser = {}

-- Messages --------------------------------------------------------------------------------------------------------

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

-- argparse's message with our nearest name: theirs finds names that differ by one letter only.
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

-- The tree --------------------------------------------------------------------------------------------------------

-- The action of an option that prints and ends: argparse's own prints without looking at the result.
local function printing(text)
  return function()
    stdout.write(text() .. "\n")
    exit.with(exit.OK)
  end
end

-- Our --help for an argparse command.
local function with_help(command)
  return command:add_help { action = printing(function() return command:get_help() end) }:help_max_width(80)
end

-- "get_metadata" is called "get-metadata"; the name with underscores is understood too. What is not wanted is a line in
-- the --help of what it is in.
local function add_command(to, name, summary, wanted)
  local shown = help.dashed(name)
  local command = to:command(shown):summary(summary)
  if shown ~= name then command:hidden_name(name) end
  return wanted and with_help(command) or command
end

-- The usage line of a command, broken before words that would not fit into 80 columns.
local function usage_of(command, arguments)
  local lines, line = {}, "Usage: " .. command:_get_fullname()
  for word in (arguments .. "[options]"):gmatch "%S+" do
    if #line + 1 + #word > 80 then
      lines[#lines + 1] = line
      line = "      "
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local GLOBAL = {
  { group = "Settings (see `ampersand config --help`)",
    { "--profile", "Settings of this profile of the configuration file.", "<name>", completes = "profiles" },
    { "--project", "Project, by id or name.", "<project>" },
    { "--integration", "Integration, by id or name.", "<integration>" },
    { "--org", "Organisation, by id.", "<id>" },
    { "--url", "Root of the API; default: AMP_API_URL.", "<url>" },
    { "--region", "The vendor's servers in a region, such as eu.", "<name>" },
    { "--key", "`-`: read the API key from standard input, or the terminal without echo.", "-" },
    { "--bearer", "`-`: read a bearer token in the same way.", "-" } },
  { group = "Connection",
    { "--timeout", "Seconds for a call with its retries (60).", number = "seconds" },
    { "--tries", "Tries of a call that may be repeated (3).", number = "count" },
    { "--ca-file", "Certificates to trust instead of the system's.", "<file>" },
    { "--debug", "Print every request on standard error." } },
  { group = "Display",
    { "--unknown-fields", "ignore: allow field names that resemble known ones.", "<what>", choices = { "ignore" } },
    { "--color", "Colours: auto, always or never.", "<when>", choices = { "auto", "always", "never" } },
    { "-q --quiet", "No progress, no notes; errors only." },
    { "--show-secrets", "Show tokens and passwords in payloads instead of [redacted]." } },
}

-- Adds a command. `load` gives it, where it is wanted.
local function add(to, name, summary, load, wanted)
  local added = add_command(to, name, summary, wanted)
  if not wanted then return added end
  local command = load()
  added:description(command.description or summary)
  added.runs = command
  if command.usage then added:usage(usage_of(added, command.usage)) end
  for _, argument in ipairs(command.arguments or {}) do added:argument(argument).completes = argument.completes end
  options.add(added, command.options or {})
  if command.verbs then added:command_target "verb" end
  for _, verb in ipairs(command.verbs or {}) do
    add(added, verb.name, verb.summary, function() return verb end, true)
  end
  return added:epilog(command.epilog)
end

local function add_resource(root, name, wanted)
  local verbs = commands.verbs(name)
  local shown = help.dashed(table.concat(verbs, ", "))
  local resource = add_command(root, name, shown, wanted(name))
  if not wanted(name) then return resource end
  resource:description("Verbs: " .. shown):command_target "verb"
  for _, verb in ipairs(verbs) do
    add(resource, verb, commands.summary(verb, name), function() return commands.load(verb, name) end, wanted(verb))
  end
  return resource:epilog(("Example:\n  %s"):format(help.example(operations.get(name, "list")
    or operations.get(name, verbs[1]))))
end

local function group(root, title, names, add_one)
  local added = {}
  for i, name in ipairs(names) do added[i] = add_one(name) end
  root:group(title, unpack(added))
end

--- Builds the tree.
---@param words string[]? only what these words name is filled in; nil: everything
---@return table root an argparse parser; a command has what runs it in `runs`
function parser.build(words)
  local named = {}
  for _, word in ipairs(words or {}) do named[word:gsub("-", "_")] = true end
  local function wanted(name) return not words or named[name:gsub("-", "_")] end
  local root = with_help(argparse("ampersand", help.ROOT)):command_target "command"
    :usage "Usage: ampersand <resource> <verb> [ids] [options]":epilog(help.ROOT_EPILOG)
  root.error = on_error
  root:flag("--version", "Print the version."):action(printing(function() return "ampersand " .. version.number end))
  options.add(root, GLOBAL)
  local main, others = commands.resources()
  local function resource(name) return add_resource(root, name, wanted) end
  group(root, "Main resources", main, resource)
  group(root, "Tools", commands.TOOLS, function(name)
    return add(root, name, commands.summary(name), function() return commands.load(name) end, wanted(name))
  end)
  group(root, "All other resources", others, resource)
  return root
end

--- The command named `name` of a tree or a command in it, or nil.
function parser.find(at, name)
  for _, each in ipairs(at._commands) do
    for _, alias in ipairs(each._aliases) do
      if alias == name then return each end
    end
  end
end

--- Parses the words of a command line.
---@param words string[]
---@return table command of cli/commands
---@return table args
function parser.parse(words)
  local root = parser.build(words)
  local args = root:parse(options.join_numbers(words))
  local command = parser.find(root, args.command)
  return (args.verb and parser.find(command, args.verb) or command).runs, args
end

return parser
