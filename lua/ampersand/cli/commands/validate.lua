--- `ampersand validate`: checks an amp.yaml without an account.

local deploy = require "ampersand.fleet.deploy"
local exit = require "ampersand.cli.exit"
local manifest = require "ampersand.fleet.manifest"
local stdout = require "ampersand.cli.stdout"
local printable = require "ampersand.util.terminal_text"

local validate = {
  usage = "[amp.yaml|folder] ",
  arguments = { { name = "path", description = "The file, or its folder (default: this one).", args = "?" } },
  epilog = [[
Each problem is a line: file:line:column: where: what. Exit code 1 when there is one;
names that the schema does not know and that resemble nothing are warnings.

Example:
  ampersand validate amp.yaml]],
}

--- Prints the problems of a manifest, a line each.
---@return integer mistakes problems that are not warnings
function validate.print(name, problems)
  local mistakes = 0
  for _, problem in ipairs(problems) do
    stdout.write(printable(manifest.line(name, problem)) .. "\n")
    if not problem.warning then mistakes = mistakes + 1 end
  end
  return mistakes
end

function validate.run(ctx)
  local text, name = deploy.find(ctx.args.path or ".")
  if not text then exit.usage(name) end
  local value, problems = manifest.read(text)
  if type(problems) == "string" then exit.with(exit.FAILURE, problems) end
  local mistakes = validate.print(name, problems)
  if mistakes > 0 then exit.with(exit.FAILURE, ("%s is not valid (problems: %d)"):format(name, mistakes)) end
  ctx:note(("%s is valid (integrations: %d)"):format(name, #value.integrations))
end

return validate
