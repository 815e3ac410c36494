--- `ampersand config`: reads and writes the profiles.

local config = require "ampersand.cli.config"
local exit = require "ampersand.cli.exit"
local redact = require "ampersand.util.redact"
local stdout = require "ampersand.cli.stdout"
local terminal = require "ampersand.cli.terminal"

local function given_value(setting, value)
  if setting.secret then value = terminal.given_secret(setting.name, value or "-", "a secret", "-") end
  if not value then exit.usage(("config set %s: the value is missing"):format(setting.name)) end
  if value:find "%S" then return value end
  exit.usage(("config set %s: the value is empty; to remove it: ampersand config unset %s"):format(setting.name,
    setting.name))
end

local function write(ctx, setting, value)
  local profile = config.profile(ctx.args.profile)
  config.set(profile, setting.name, value)
  local what = value and "set in " .. config.path() or "unset"
  ctx:note(("%s of profile %s is %s"):format(setting.name, profile, what))
end

local function set(ctx)
  local setting = config.setting(ctx.args.name)
  local value = given_value(setting, ctx.args.value)
  local problem = setting.check and setting.check(value)
  if problem then exit.usage(problem) end
  write(ctx, setting, value)
end

local function unset(ctx)
  write(ctx, config.setting(ctx.args.name), nil)
end

local function show(ctx)
  local values = ctx:settings()
  for _, setting in ipairs(config.SETTINGS) do
    local value, source = values[setting.option], ctx.sources[setting.name]
    if value and not ctx.args.show_secrets then
      value = setting.secret and redact.HIDDEN or setting.name == "url" and redact.url(value) or value
    end
    stdout.write(("%-12s "):format(setting.name) .. (value and value .. "  (" .. source .. ")" or "-") .. "\n")
  end
end

local function profiles()
  local _, order = config.load()
  for _, name in ipairs(order) do stdout.write(name .. "\n") end
end

local function path()
  stdout.write((config.path() or exit.usage "neither XDG_CONFIG_HOME nor HOME is set") .. "\n")
end

local NAME = "key, bearer, url, project, integration, org or region"

return {
  verbs = {
    { name = "set", run = set, summary = "Set one: key, bearer, url, project, integration, org, region.",
      arguments = { { name = "name", description = NAME, completes = "settings" },
        { name = "value", description = "`-`, or nothing, asks for a key without echo.", args = "?" } },
      epilog = "Example:\n  ampersand config set project my-project --profile prod" },
    { name = "unset", run = unset, summary = "Remove one.", arguments = { { name = "name", completes = "settings" } },
      epilog = "Example:\n  ampersand config unset project" },
    { name = "show", run = show, summary = "What holds now, and where each comes from.",
      epilog = "Example:\n  ampersand config show" },
    { name = "profiles", run = profiles, summary = "The names of the profiles.",
      epilog = "Example:\n  ampersand config profiles" },
    { name = "path", run = path, summary = "Where the file is.", epilog = "Example:\n  ampersand config path" },
  },
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
