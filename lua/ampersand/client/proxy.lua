--- Requests through the API's proxy to the provider behind an installation, with the customer's credentials.
--
--     local contacts = client:proxy("GET", "/crm/v3/objects/contacts", { installation = id, query = { limit = 10 } })

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local params = require "ampersand.client.params"
local raw = require "ampersand.client.raw"
local request = require "ampersand.client.request"
local read_value = require "ampersand.client.value"
local sender = require "ampersand.client.sender"

local proxy = {}

local OPTIONS = {
  installation = "string", group = "string", integration = "string", query = "table",
  body = "table|string|number|boolean", content_type = "string", throttle = "boolean", stream = "boolean",
}
for name, kind in pairs(params.OPTIONS) do
  if name ~= "max" then OPTIONS[name] = kind end
end

-- Projects by name, per credential: a name means another project to another key. Credentials are functions here. A
-- cache: it holds the names that a program's living clients have asked for.
local known_projects = setmetatable({}, { __mode = "k" })

local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

-- The proxy knows projects by id alone.
local function project_id(client, given)
  local name, credential = client._config.project, client._config.api_key
  if name:match(UUID) or not credential then return name end -- without a key the request itself will say so
  local known = known_projects[credential] or {}
  known_projects[credential] = known
  if not known[name] then
    local of_call = { timeout = given.timeout, retry = given.retry, cancel = given.cancel }
    local project, err = client.projects:get(name, of_call)
    if not project then return nil, err end
    known[name] = type(project.id) == "string" and project.id or name
  end
  return known[name]
end

local function has_content_type(headers)
  for name in pairs(headers or {}) do
    if tostring(name):lower() == "content-type" then return true end
  end
end

local function check(given)
  given = argcheck.check(given, OPTIONS, "client:proxy")
  if not given.installation and not given.group then
    argcheck.raise "client:proxy: say whose credentials: `installation`, or `group` with `integration`"
  end
  if type(given.body) == "string" and not given.content_type and not has_content_type(given.headers) then
    argcheck.raise "client:proxy: a body that is a string is sent as it is and needs `content_type`"
  end
  return given
end

-- What is the caller's, what is the request's, and what is the proxy's.
local function headers_of(given, project, integration)
  local headers = { Accept = "application/json, */*;q=0.8" }
  if given.stream then headers.Accept, headers["Accept-Encoding"] = "*/*", "identity" end
  if given.content_type then headers["Content-Type"] = given.content_type end
  for name, value in pairs(given.headers or {}) do request.set_header(headers, name, value) end
  local ours = { ["x-amp-proxy-version"] = "1", ["x-amp-project-id"] = project }
  if given.installation then
    ours["x-amp-installation-id"] = given.installation
  else
    ours["x-amp-integration-name"], ours["x-amp-group-ref"] = integration, given.group
  end
  if given.throttle then ours["x-amp-rate-limiter-mode"] = "throttle" end
  for name, value in pairs(ours) do request.set_header(headers, name, value) end
  return headers
end

---@class ampersand.Answer
--- The body of a streamed answer: `read()` gives the next piece, nil at the end, or nil and an error; `close()` ends
--- the transfer early.
---@field status integer
---@field headers table<string, string> lower-case names
local Answer = {}
Answer.__index = Answer

--- The next piece of the body; nil at its end; nil and an error when it broke off.
---@return string? chunk
---@return ampersand.Error? err
function Answer:read()
  if self.closed then return nil, self.failure end
  local chunk, message, kind = self.res.read()
  if chunk then return chunk end
  if kind then self.failure = call.error(self.attempt, kind, message, { sent = true, status = self.status }) end
  self.closed = true
  self.res.close(not kind)
  return nil, self.failure
end

--- Ends the transfer. Closing twice is harmless.
function Answer:close()
  if self.closed then return end
  self.closed = true
  self.res.close(false)
end

Answer.__close = Answer.close
Answer.__gc = Answer.close

local function open_stream(c)
  local attempt = call.attempt(c, true)
  local opened, err = sender.send(attempt, function(res)
    -- the deadline was for the head; from here on the caller reads at leisure
    if res.deadline and not c.options.timeout then res.deadline(nil) end
    local answer = { attempt = attempt, res = res, status = res.status, headers = res.headers, closed = false }
    return setmetatable(answer, Answer)
  end)
  if err then return nil, err end
  return opened, attempt.info
end

--- Sends a request through to the provider.
---@param client ampersand.Client
---@param method string
---@param path string as the provider's API has it
---@param given table see client:proxy
---@return any value
---@return table|ampersand.Error info
function proxy.send(client, method, path, given)
  given = check(given)
  local plain = { query = given.query, body = given.body, server = "proxy" }
  for name in pairs(params.OPTIONS) do plain[name] = given[name] end
  local integration = given.integration or client._config.integration
  local missing = not client._config.project and "project"
    or not (integration or given.installation) and "integration"
  local c = raw.call("client:proxy", client, method, path, plain)
  c.op.id, c.op.auth, c.raw = "proxy", "key", type(given.body) == "string"
  if missing then return nil, call.error(call.attempt(c), "config", params.missing(missing)) end
  local project, err = project_id(client, given)
  if not project then return nil, err end
  c.options.headers = headers_of(given, project, integration)
  if given.stream then return open_stream(c) end
  return read_value(c)
end

return proxy
