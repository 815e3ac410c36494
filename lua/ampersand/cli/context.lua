--- What a command works with: its arguments, the settings, a client, the format asked for, notes and colours.

local ampersand = require "ampersand"
local config = require "ampersand.cli.config"
local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local options = require "ampersand.cli.options"
local redact = require "ampersand.util.redact"
local stdout = require "ampersand.cli.stdout"
local template = require "ampersand.cli.output.template"
local terminal = require "ampersand.cli.terminal"
local url = require "ampersand.util.url"

---@class ampersand.cli.Context
local Context = {}
Context.__index = Context

local context = {}

-- The format the flags ask for; "table" without any. `-o csv` is `--csv`.
local function format_of(args)
  if args.output and args.output ~= "table" then args[args.output] = true end
  if args.spreadsheet and not args.tsv then args.csv = true end
  for _, name in ipairs(options.FORMATS) do
    if args[name] then return name end
  end
  return "table"
end

--- Makes the context of a command.
---@param args table as argparse has them
---@param parser table cli/parser, for commands that print the whole tree
---@return ampersand.cli.Context
function context.new(args, parser)
  local self = setmetatable({ args = args, kind = format_of(args), parser = parser, hidden = 0 }, Context)
  if args.template then
    local parts, why = template.parse(args.template)
    self.template = parts or exit.usage(why)
  end
  return self
end

--- A note for people; not with --quiet.
function Context:note(text)
  if not self.args.quiet then terminal.say(text) end
end

--- Text in colours where they are wanted.
function Context:paint(text, colour)
  self.painter = self.painter or terminal.painter(self.args.color)
  return self.painter(text, colour)
end

--- Hides the secrets of a value, in place, unless they are asked for.
---@param value any
---@param element string?
function Context:hide(value, element)
  if not self.args.show_secrets then redact.value(value, element) end
end

--- Standard output, which counts the secrets that are shown as hidden.
---@return fun(text: string)
function Context:writer()
  return function(text)
    if text:find(redact.HIDDEN, 1, true) then
      self.hidden = self.hidden + select(2, text:gsub("%[redacted%]", ""))
    end
    stdout.write(text)
  end
end

local PROMPTS = { key = "API key", bearer = "Bearer token" }

--- Settles flags, environment and profile.
---@return table values options of ampersand.new
function Context:settings()
  if self.values then return self.values end
  local args, flags = self.args, {}
  for _, setting in ipairs(config.SETTINGS) do
    local name, given = setting.name, args[setting.name]
    if given and setting.secret then
      given = terminal.given_secret(PROMPTS[name], given, "--" .. name, "--" .. name .. " -")
    end
    if given and name ~= "region" and not given:find "%S" then exit.usage(("--%s is empty"):format(name)) end
    flags[name] = given
  end
  self.values, self.sources = config.settle(flags, args.profile, self.creates_profile)
  return self.values
end

local function trace(event)
  local outcome = event.status and tostring(event.status) or tostring(event.kind)
  terminal.say(("debug: %s %s: %s, %.3f s, %d bytes, try %d"):format(event.method, event.url, outcome, event.seconds,
    event.bytes or 0, event.attempt))
end

-- Says once for each pause that the server asks for what the command waits for.
local function listener(self)
  local resumes = 0
  return function(event)
    if self.args.debug then trace(event) end
    local until_then = event.status == 429 and event.retry_after and core.now() + event.retry_after
    if until_then and until_then > resumes + 1 then
      resumes = until_then
      self:note(("ampersand: the server limits the rate; waiting for %.3g s"):format(event.retry_after))
    end
  end
end

--- The client these settings make.
---@return ampersand.Client
function Context:client()
  if self.made then return self.made end
  local values, args = self:settings(), self.args
  local given = {
    unknown_fields = args.unknown_fields, timeout = args.timeout, retry = args.tries, ca_file = args.ca_file,
    on_event = listener(self),
  }
  for _, setting in ipairs(config.SETTINGS) do
    local value = values[setting.option]
    local why = value and setting.check and setting.check(value)
    if why then exit.usage(why) end
    given[setting.option] = value
  end
  given.base_url = given.base_url and url.base(given.base_url)
  self.made = exit.guard(ampersand.new, given)
  return self.made
end

--- Calls a verb of the client's; an error ends the command.
---@param resource string
---@param verb string
---@param ... any
---@return any value
function Context:call(resource, verb, ...)
  local view = self:client()[resource]
  return exit.checked(view[verb], view, ...)
end

local HOW = {
  project = "--project, AMPERSAND_PROJECT_ID, or: ampersand config set project NAME",
  integration = "--integration, AMPERSAND_INTEGRATION_ID, or: ampersand config set integration NAME",
  org = "--org, AMPERSAND_ORG_ID, or: ampersand config set org ID",
}

--- Ends the command when a setting is missing that a path needs.
---@param name string "project", "integration" or "org"
function Context:require_setting(name)
  if not self:settings()[name] then exit.usage(("no %s is set: %s"):format(name, HOW[name])) end
end

--- Ends the command when there is no credential an operation takes.
---@param auth string "any", "key", "bearer" or "none"
function Context:require_credentials(auth)
  local values = self:settings()
  if auth == "bearer" and not values.bearer then
    exit.with(exit.AUTH, "this takes only a bearer token: --bearer -, AMPERSAND_BEARER, or a profile's `bearer`")
  end
  if auth ~= "none" and not values.api_key and (auth == "key" or not values.bearer) then
    exit.with(exit.AUTH, "no API key: set AMP_API_KEY, use --key -, or: ampersand config set key -")
  end
end

--- Ends the command when the settings do not name a list of installations, or there is no key.
function Context:require_place()
  self:require_setting "project"
  if not self.args.in_project then self:require_setting "integration" end
  self:require_credentials "any"
end

return context
