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

local PROMPTS = { key = "API key", bearer = "Bearer token" }

local function secret_flag(args, name)
  local flag = "--" .. name .. " -"
  return args[name] and terminal.given_secret(PROMPTS[name], args[name], "--" .. name, flag)
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
  self.painter = self.painter or terminal.painter(self.args.color or "auto")
  return self.painter(text, colour)
end

--- A painting function for the modules that draw.
function Context:brush()
  return function(text, colour) return self:paint(text, colour) end
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

--- Columns to fit into; nil: as wide as it gets.
function Context:limit()
  if self.args.wide then return nil end
  return terminal.columns()
end

--- Settles flags, environment and profile.
---@return table values options of ampersand.new
function Context:settings()
  if self.values then return self.values end
  local flags = {
    key = secret_flag(self.args, "key"), bearer = secret_flag(self.args, "bearer"), url = self.args.url,
    project = self.args.project, integration = self.args.integration, org = self.args.org, region = self.args.region,
  }
  for name, value in pairs(flags) do
    if name ~= "region" and not value:find "%S" then exit.usage(("--%s is empty"):format(name)) end
  end
  local values, sources = config.settle(flags, self.args.profile, self.creates_profile)
  if not values then exit.usage(sources) end
  self.values, self.sources = values, sources
  return values
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
  local values, given = self:settings(), {}
  for name, value in pairs(values) do given[name] = value end
  local why = given.base_url and config.check_url(given.base_url) or given.region and config.check_region(given.region)
  if why then exit.usage(why) end
  given.base_url = given.base_url and url.base(given.base_url)
  given.unknown_fields = self.args.unknown_fields
  given.timeout, given.retry, given.ca_file = self.args.timeout, self.args.tries, self.args.ca_file
  given.on_event = listener(self)
  self.made = exit.guard(ampersand.new, given)
  return self.made
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
---@param op table
function Context:require_credentials(op)
  local values = self:settings()
  if op.auth == "none" then return end
  if op.auth == "bearer" and not values.bearer then
    exit.with(exit.AUTH, "this takes only a bearer token: --bearer -, AMPERSAND_BEARER, or a profile's `bearer`")
  end
  if not values.api_key and (op.auth == "key" or not values.bearer) then
    exit.with(exit.AUTH, "no API key: set AMP_API_KEY, use --key -, or: ampersand config set key -")
  end
end

--- Ends the command when the settings do not name a list of installations, or there is no key.
function Context:require_place()
  self:require_setting "project"
  if not self.args.in_project then self:require_setting "integration" end
  self:require_credentials { auth = "any" }
end

return context
