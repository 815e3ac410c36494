--- `ampersand config`: reads and writes the profiles.

local config = require "ampersand.cli.config"
local exit = require "ampersand.cli.exit"
local options = require "ampersand.cli.options"
local redact = require "ampersand.util.redact"
local stdout = require "ampersand.cli.stdout"
local terminal = require "ampersand.cli.terminal"

local command = {
  summary = "Show or change settings: keys, projects, URLs, and where each comes from.",
  epilog = [[
Flags go first, then the profile of --profile, then the environment, then the
profile of AMPERSAND_PROFILE, else "default":
  key          --key -        AMP_API_KEY, AMPERSAND_API_KEY
  bearer       --bearer -     AMPERSAND_BEARER
  url          --url          AMP_API_URL, AMPERSAND_API_URL
  project      --project      AMPERSAND_PROJECT_ID
  integration  --integration  AMPERSAND_INTEGRATION_ID
  org          --org          AMPERSAND_ORG_ID
  region       --region       AMP_REGION
The file is $XDG_CONFIG_HOME/ampersand/config (else ~/.config/ampersand/config),
readable for its owner alone; a file that others can read is refused. A URL is
the root of the API; /v1 is added unless its path ends in a version.

Example:
  ampersand config set key -]],
}

function command.declare(tree)
  tree:command_target "verb"
  local set = options.command(tree, "set", "Set one: key, bearer, url, project, integration, org, region.")
  set:argument "name":description("key, bearer, url, project, integration, org or region").completes = "settings"
  set:argument "value":description "`-`, or nothing, asks for a key without echo.":args "?"
  set:epilog "Example:\n  ampersand config set project my-project --profile prod"
  local unset = options.command(tree, "unset", "Remove one."):epilog "Example:\n  ampersand config unset project"
  unset:argument("name").completes = "settings"
  for _, verb in ipairs {
    { "show", "What holds now, and where each comes from." }, { "profiles", "The names of the profiles." },
    { "path", "Where the file is." },
  } do
    options.command(tree, verb[1], verb[2]):epilog("Example:\n  ampersand config " .. verb[1])
  end
end

local verbs = {}

-- The value, or the end of the command with the message that came instead.
local function checked(value, why)
  return value or exit.usage(why)
end

local function given_value(setting, value)
  if setting.secret then value = terminal.given_secret(setting.name, value or "-", "a secret", "-") end
  if not value then exit.usage(("config set %s: the value is missing"):format(setting.name)) end
  if value:find "%S" then return value end
  exit.usage(("config set %s: the value is empty; to remove it: ampersand config unset %s"):format(setting.name,
    setting.name))
end

local function write(ctx, setting, value)
  local profile = config.profile(ctx.args.profile)
  local ok, why = config.set(profile, setting.name, value)
  if not ok then exit.with(exit.FAILURE, why) end
  return ("%s of profile %s is "):format(setting.name, profile)
end

function verbs.set(ctx)
  local setting = checked(config.setting(ctx.args.name))
  local value = given_value(setting, ctx.args.value)
  local check = ({ url = config.check_url, region = config.check_region })[setting.name]
  local problem = check and check(value)
  if problem then exit.usage(problem) end
  ctx:note(write(ctx, setting, value) .. "set in " .. config.path())
end

function verbs.unset(ctx)
  ctx:note(write(ctx, checked(config.setting(ctx.args.name)), nil) .. "unset")
end

function verbs.show(ctx)
  local values = ctx:settings()
  for _, setting in ipairs(config.SETTINGS) do
    local value, source = values[setting.option], ctx.sources[setting.name]
    if value and not ctx.args.show_secrets then
      value = setting.secret and redact.HIDDEN or setting.name == "url" and redact.url(value) or value
    end
    stdout.write(("%-12s "):format(setting.name) .. (value and value .. "  (" .. source .. ")" or "-") .. "\n")
  end
end

function verbs.profiles()
  local profiles, order = config.load()
  checked(profiles, order)
  for _, name in ipairs(order) do stdout.write(name .. "\n") end
end

function verbs.path()
  stdout.write(checked(config.path(), "neither XDG_CONFIG_HOME nor HOME is set") .. "\n")
end

function command.run(ctx)
  verbs[ctx.args.verb](ctx)
end

return command
