--- What a command works with: settings, a client, the format asked for, and ways to speak.

local config = require "ampersand.cli.config"
local exit = require "ampersand.cli.exit"
local format = require "ampersand.cli.format"
local terminal = require "ampersand.cli.terminal"

---@class ampersand.cli.Context
local Context = {}
Context.__index = Context

local context = {}

local FORMATS = { "json", "ndjson", "csv", "tsv", "yaml", "template" }

--- The format the flags ask for; "table" without any.
local function format_of(args)
  for _, name in ipairs(FORMATS) do
    if args[name] then return name end
  end
  return "table"
end

-- A key in the arguments stands in the list of processes, for every user of the machine.
local function secret_flag(self, name)
  local given = self.args[name]
  if given == nil then return nil end
  if given ~= "-" then
    self:warn(("--%s with the secret itself can be read by other users of this machine; use --%s -"):format(name, name))
    return given
  end
  local secret = terminal.read_secret(name == "key" and "API key: " or "Bearer token: ")
  return secret or exit.usage(("--%s -: nothing was given"):format(name))
end

--- Makes the context of a command.
---@param args table as argparse has them
---@return ampersand.cli.Context
function context.new(args)
  local self = setmetatable({ args = args, kind = format_of(args) }, Context)
  if args.template then
    local parts, why = format.template(args.template)
    self.template = parts or exit.usage(why)
  end
  return self
end

--- A note for people; not with --quiet.
function Context:note(text)
  if not self.args.quiet then terminal.say(text) end
end

--- Something the user had better know, whatever the flags.
function Context:warn(text)
  terminal.say("ampersand: " .. text)
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
    key = secret_flag(self, "key"), bearer = secret_flag(self, "bearer"), url = self.args.url,
    project = self.args.project, integration = self.args.integration, org = self.args.org,
  }
  for name, value in pairs(flags) do
    if not value:find "%S" then exit.usage(("--%s is empty"):format(name)) end
  end
  local values, sources, overridden = config.settle(flags, self.args.profile)
  if not values then exit.usage(sources) end
  if self.args.profile and #overridden > 0 then
    self:warn(("%s of the environment goes before the profile %s"):format(table.concat(overridden, ", "),
      self.args.profile))
  end
  self.values, self.sources = values, sources
  return values
end

local function trace(event)
  local outcome = event.status and tostring(event.status) or tostring(event.kind)
  terminal.say(("debug: %s %s: %s, %.3f s, %d bytes, try %d"):format(event.method, event.url, outcome, event.seconds,
    event.bytes or 0, event.attempt))
end

--- The client these settings make.
---@return ampersand.Client
function Context:client()
  if self.made then return self.made end
  local values, given = self:settings(), {}
  for name, value in pairs(values) do given[name] = value end
  local why = given.base_url and config.check_url(given.base_url)
  if why then exit.usage(why) end
  given.timeout, given.retry, given.ca_file = self.args.timeout, self.args.tries, self.args.ca_file
  given.on_event = self.args.debug and trace or nil
  self.made = exit.guard(require("ampersand").new, given)
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

return context
