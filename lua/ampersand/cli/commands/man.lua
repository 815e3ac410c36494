--- `ampersand man`: the manual page, from the whole tree of commands.

local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local stdout = require "ampersand.cli.stdout"
local version = require "ampersand.version"

local man = {
  epilog = "Example:\n  ampersand man > ~/.local/share/man/man1/ampersand.1",
}

-- roff takes a leading dot or quote for a request, a backslash for an escape, and "-" for a hyphen.
local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n([.'])", "\n\\&%1"):gsub("^([.'])", "\\&%1"))
end

local function option_lines(lines, command)
  for _, option in ipairs(command._options) do
    if option._public_aliases[1] ~= "-h" then
      local names = table.concat(option._public_aliases, ", ")
      local argname = option._minargs ~= 0 and option._argname and " " .. option._argname or ""
      lines[#lines + 1] = ".TP\n.B " .. roff(names .. argname) .. "\n" .. roff(option._description)
    end
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

function man.run(ctx)
  local parser = ctx.parser
  local root = parser.build()
  local lines = { ('.TH AMPERSAND 1 "" "ampersand %s" "User Commands"'):format(version.number) }
  section(lines, "NAME", "ampersand - the Ampersand API on the command line")
  section(lines, "SYNOPSIS", "ampersand <resource> <verb> [ids] [options]")
  section(lines, "DESCRIPTION", help.ROOT .. " Data goes to standard output, everything else to standard error.")
  section(lines, "OPTIONS OF EVERY COMMAND")
  option_lines(lines, root)
  section(lines, "LISTS", "Every list takes these, as installations list does.")
  option_lines(lines, parser.find(parser.find(root, "installations"), "list"))
  preformatted(lines, help.WHERE)
  section(lines, "RESOURCES AND TOOLS")
  for _, command in ipairs(root._commands) do command_lines(lines, command, command.runs ~= nil) end
  section(lines, "SETTINGS")
  preformatted(lines, parser.find(root, "config")._epilog)
  section(lines, "EXIT STATUS")
  for _, meaning in ipairs(exit.MEANINGS) do
    lines[#lines + 1] = (".TP\n.B %d\n%s"):format(meaning[1], roff(meaning[2]))
  end
  section(lines, "EXAMPLES")
  preformatted(lines, help.ROOT_EPILOG:match "^Examples:\n(.-)\n\n")
  stdout.write(table.concat(lines, "\n") .. "\n")
end

return man
