--- The manual page and the completion scripts, from the whole tree of commands.

local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local parser = require "ampersand.cli.parser"
local version = require "ampersand.version"

local manual = {}

local SHELLS = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

--- A completion script.
---@param shell string "bash", "zsh" or "fish"
---@return string
function manual.completion(shell)
  local root = parser.build()
  return root[SHELLS[shell]](root)
end

-- roff takes a leading dot or quote for a request, a backslash for an escape, and "-" for a hyphen.
local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n([.'])", "\n\\&%1"):gsub("^([.'])", "\\&%1"))
end

local function element_lines(lines, element)
  if element._hidden then return end
  local names = table.concat(element._public_aliases, ", ")
  local argname = element._minargs ~= 0 and type(element._argname) == "string" and " " .. element._argname or ""
  lines[#lines + 1] = ".TP\n.B " .. roff(names .. argname) .. "\n" .. roff(element._description or "")
end

local function option_lines(lines, command)
  for _, option in ipairs(command._options) do
    if option._public_aliases[1] ~= "-h" then element_lines(lines, option) end
  end
end

local function command_lines(lines, command, with_options)
  lines[#lines + 1] = ".SS " .. roff(command:_get_fullname())
  lines[#lines + 1] = roff(command._summary or command._description or "")
  if with_options then option_lines(lines, command) end
  for _, verb in ipairs(command._commands) do
    lines[#lines + 1] = ".TP\n.B " .. roff((verb:get_usage():gsub("^Usage: ", ""):gsub("%s+", " ")))
    lines[#lines + 1] = roff(verb._summary or "")
  end
end

local function section(lines, title, text)
  lines[#lines + 1] = ".SH " .. title
  if text then lines[#lines + 1] = roff(text) end
end

local function preformatted(lines, text)
  lines[#lines + 1] = ".nf\n" .. roff(text) .. "\n.fi"
end

local function find(commands, name)
  for _, command in ipairs(commands) do
    if command._name == name then return command end
  end
end

--- The manual page, for `man`.
---@return string
function manual.page()
  local root = parser.build()
  local lines = { ('.TH AMPERSAND 1 "" "ampersand %s" "User Commands"'):format(version.number) }
  section(lines, "NAME", "ampersand - the Ampersand API at the shell")
  section(lines, "SYNOPSIS", "ampersand <resource> <verb> [ids] [options]")
  section(lines, "DESCRIPTION", help.ROOT .. " Data goes to standard output, everything else to standard error.")
  section(lines, "OPTIONS OF EVERY COMMAND")
  option_lines(lines, root)
  section(lines, "LISTS", "Every list takes these, as installations list does.")
  option_lines(lines, find(find(root._commands, "installations")._commands, "list"))
  preformatted(lines, help.WHERE)
  section(lines, "RESOURCES AND TOOLS")
  local tools = require "ampersand.cli.tools"
  for _, command in ipairs(root._commands) do
    command_lines(lines, command, tools.runner(command._name) or command._name == "mock")
  end
  section(lines, "SETTINGS")
  preformatted(lines, find(root._commands, "config")._epilog)
  section(lines, "EXIT STATUS")
  for _, meaning in ipairs(exit.MEANINGS) do
    lines[#lines + 1] = (".TP\n.B %d\n%s"):format(meaning[1], roff(meaning[2]))
  end
  section(lines, "EXAMPLES")
  preformatted(lines, help.ROOT_EPILOG:match "^Examples:\n(.-)\n\n")
  return table.concat(lines, "\n") .. "\n"
end

return manual
