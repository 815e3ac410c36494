--- A client: settings, resources, and calls.

local argcheck = require "ampersand.util.argcheck"
require "ampersand.util.closing"
local core = require "ampersand.core"
local environment = require "ampersand.util.environment"
local Error = require "ampersand.client.error"
local host = require "ampersand.util.host"
local limiter = require "ampersand.client.limiter"
local operations = require "ampersand.client.operations"
local params = require "ampersand.client.params"
local request = require "ampersand.client.request"
local redact = require "ampersand.util.redact"
local require = require "ampersand.util.require"
local resource = require "ampersand.client.resource"
local retry = require "ampersand.client.retry"
local url = require "ampersand.util.url"
local version = require "ampersand.version"

if host.haproxy() then require "ampersand.util.background" end -- which marks what HAProxy registers from now on

-- What `with` may change in addition to the options of a call: credentials and targets, not connections.
local SHARED_OPTIONS = {
  api_key = "string", bearer = "string|function", project = "string", integration = "string", org = "string",
  user_agent = "string", on_event = "function", region = "string",
}

local NEW_OPTIONS = {
  base_url = "string", servers = "table", allow_insecure_http = "boolean", max_connections = "count",
  http_proxy = "string", ca_file = "string", ca_path = "string", client_cert = "string", client_key = "string",
  client_key_password = "string|function", insecure_skip_verify = "boolean", keepalive = "boolean",
  requests_per_second = "positive", http_version = { types = "string", choices = { "1.1", "2" } },
  transport = {
    types = "function|table", methods = { "request" }, words = "a function, or a table with the function `request`",
  },
  loop = {
    types = "table", methods = { "inside", "park", "wake" },
    words = "an adapter, such as require \"ampersand.loop.frame\".new()",
  },
}

for name, kind in pairs(params.OPTIONS) do
  if name ~= "max" and name ~= "cancel" then SHARED_OPTIONS[name] = kind end
end
for name, kind in pairs(SHARED_OPTIONS) do NEW_OPTIONS[name] = kind end

-- Secrets live in closures: a table printer that walks a client finds functions.
local function hide(secret)
  return secret and function() return secret end
end

local SECRETS = { "api_key", "http_proxy", "client_key_password" } -- the URL of a proxy may hold a password

local function region_of(text, what)
  local region, problem = url.region(text)
  if problem then argcheck.raise(("%s %s"):format(what, problem)) end
  return region
end

-- Texts that come from files and settings arrive with line ends; variables of the environment are trimmed.
local TEXTS = { "api_key", "bearer", "project", "integration", "org", "base_url" }

local function check_settings(given, schema, what)
  given = argcheck.check(given, schema, what)
  for _, name in ipairs(TEXTS) do
    local text = type(given[name]) == "string" and given[name]
    local bad = text and (not text:find "%S" and "is empty"
      or text:find "[%z\r\n]" and "has a line break or a NUL in it"
      or text:find "^%s" and "begins with a blank" or text:find "%s$" and "ends with a blank")
    if bad then argcheck.raise(("option %q %s"):format(name, bad)) end
  end
  local bad = given.user_agent and request.bad_header("user_agent", given.user_agent)
  if bad then argcheck.raise(bad) end
  return given
end

-- Settings from options; `config.transport` exists already.
local function settle(config, given)
  for name, value in pairs(given) do
    if name ~= "transport" and name ~= "servers" and name ~= "base_url" then config[name] = value end
  end
  for _, name in ipairs(SECRETS) do
    if type(given[name]) == "string" then config[name] = hide(given[name]) end
  end
  if given.region then config.region = region_of(given.region, 'option "region"') end
  if given.bearer then
    config.bearer = require "ampersand.client.bearer".source(given.bearer, function(seconds)
      local transport = config.transport()
      if transport then transport:sleep(seconds) end
    end)
  end
  if given.user_agent then config.user_agent = version.user_agent .. " " .. given.user_agent end
  return config
end

-- What a client's calls leave for the next ones: decoders by kind, paths of the operations whose ids are all the
-- client's, and by such a path the request but for its query.
local function new_store()
  return { decoders = {}, paths = {}, requests = {} }
end

---@class ampersand.Client
local Client = {}

-- What stands behind the last argument would be ignored: a body, for one who knows other clients.
local function refuse_more(what, ...)
  if select("#", ...) == 0 then return end
  argcheck.raise(what .. " takes three arguments: give body, query and options in one table")
end

--- Calls any operation by its name in the vendor's documents.
---@param id string operation id, such as "listInstallations"
---@param given table? wire names of path and query parameters; `body` apart
---@param options ampersand.CallOptions?
---@return any value, table|ampersand.Error info
function Client:call(id, given, options, ...)
  refuse_more("client:call", ...)
  local op, what = operations.by_id[id], "client:call " .. tostring(id)
  if not op then
    local known = {}
    for i, each in ipairs(operations.all()) do known[i] = each.id end
    argcheck.raise(("client:call: unknown operation %q; %s"):format(tostring(id), argcheck.hint(id, known)))
  end
  return resource.perform(require "ampersand.client.by_id".call(what, self, op, given, options))
end

--- Sends a request that is not in the table of operations.
---@param method string
---@param path string begins with "/" and stands below the base URL; escape ids in it yourself
---@param given table? query, body, server ("read", "write", "search"), and the options of any call
---@return any value decoded JSON, text, or true
---@return table|ampersand.Error info
function Client:request(method, path, given, ...)
  refuse_more("client:request", ...)
  local c = require "ampersand.client.raw".call("client:request", self, method, path, given)
  return require "ampersand.client.value"(c)
end

--- Sends a request through to the provider behind an installation, with the customer's credentials.
--
-- Whose: `installation` (its id), or `group` (a groupRef) with `integration` (a name; else the client's). Further:
-- `query` (values may be lists), `body` (a table becomes JSON, a string goes as it is with `content_type`), `headers`,
-- `throttle` (the API holds requests back while the provider limits their rate), `stream` (the answer is an object with
-- status, headers, `read()` and `close()`), and the options of any call. The provider's own error answers are the error
-- object, their body in `err.body`. Where the client knows the project by name its id is asked for once.
---@param method string
---@param path string as the provider's API has it; escape ids in it yourself
---@param given table
---@return any value decoded JSON, text, or true
---@return table|ampersand.Error info
function Client:proxy(method, path, given, ...)
  refuse_more("client:proxy", ...)
  self:_check_open "client:proxy"
  return require "ampersand.client.proxy".send(self, method, path, given)
end

--- Runs functions side by side on this client's connections, at most `n` at a time, each a coroutine of its own.
-- One that fails does not stop the others. In PUC Lua 5.1 a task cannot wait inside pcall or a `for` iterator.
---@param n integer how many at once
---@param tasks (fun(): any, any)[] each answers a value, or nil and an error
---@return table? values in the order of the tasks, `n` their number; a failed one's place is nil
---@return table|ampersand.Error errors by place: what a task answered as its error, or raised
function Client:parallel(n, tasks)
  return require "ampersand.client.parallel".run(self, n, tasks)
end

--- Moves all requests on for at most `budget` seconds: once a frame, in a program with a loop of its own.
---@param budget number? seconds; nil or 0: one step
function Client:poll(budget)
  return require "ampersand.client.parallel".poll(self, budget)
end

--- A client with other settings that shares this one's connections.
---@param changes ampersand.Options those that do not concern the connection
---@return ampersand.Client
function Client:with(changes)
  for name in pairs(type(changes) == "table" and changes or {}) do
    if NEW_OPTIONS[name] and not SHARED_OPTIONS[name] then
      argcheck.raise(("client:with: option %q belongs to ampersand.new, since connections are shared"):format(name))
    end
  end
  changes = check_settings(changes, SHARED_OPTIONS, "client:with")
  -- `closed` and everything not changed is read through to this client
  local config = setmetatable({}, { __index = self._config })
  return setmetatable({ _config = settle(config, changes), _owner = false, _kept = new_store() }, Client)
end

--- Closes the client's connections; calls on it, and on the clients made from it by `with`, raise from then on.
function Client:close()
  if getmetatable(self) ~= Client then argcheck.raise "close is a method: call it with a colon: client:close()" end
  self._config.closed = true
  if self._owner then self._config.close_transport() end
end

function Client:__index(name)
  if Client[name] then return Client[name] end
  if type(name) ~= "string" or name:match "^_" then return nil end
  if not operations.lines[name] then
    local known = argcheck.names(operations.all_lines())
    argcheck.raise(("the client has no resource %q; %s"):format(name, argcheck.hint(name, known)))
  end
  local found = resource.new(self, name)
  rawset(self, name, found)
  return found
end

function Client:__tostring()
  local config = self._config
  return ("ampersand.client(project=%s, integration=%s)"):format(config.project or "?", config.integration or "?")
end

Client.__close = Client.close

function Client.__newindex(_, name)
  local words = "a client's settings do not change: client:with { %s = … } makes another client"
  argcheck.raise(words:format(tostring(name)))
end

-- ---------------------------------------------------------------------------------------------
-- For the library's other modules: nothing but client/ knows `_config`.

-- The texts that no message may hold.
local function secrets_of(config, token)
  return {
    key = config.api_key and config.api_key(), bearer = config.bearer and config.bearer.current(), token = token,
  }
end

--- The one constructor of errors for what has a client: no secret of it gets into them.
---@param fields table kind, message, and any other field of an error
---@param token string? the bearer token of an attempt
---@return ampersand.Error
function Client:_error(fields, token)
  local err = Error.new(fields, secrets_of(self._config, token))
  if err.retryable == nil then err.retryable = retry.transient(err) end
  return err
end

--- Whether a value contains the client's key or token, or something like one.
---@param value any
---@return boolean
function Client:_holds_secret(value)
  local secrets = secrets_of(self._config)
  if type(value) == "string" then return redact.text(value, secrets) ~= value end
  return not require "ampersand.util.deep".equal(redact.copy(value, secrets), value)
end

--- A setting in force; nil for those that are secret.
---@param name string
---@return any
function Client:_option(name)
  local config = self._config
  if name == "base_url" then return request.address(config, "api") end
  if name ~= "api_key" and name ~= "bearer" then return config[name] end
end

--- Waits; in an event loop only this coroutine does.
---@param seconds number
---@param cancel ampersand.CancelToken? ends the wait
---@return boolean? ok, ampersand.Error?
function Client:_sleep(seconds, cancel)
  local transport, why = self._config.transport()
  if not transport then return nil, self:_error { kind = "config", message = why } end
  local _, problem, kind = transport:sleep(seconds, cancel)
  if problem then return nil, self:_error { kind = kind or "config", message = problem } end
  return true
end

function Client:_check_open(what)
  if self._config.closed then argcheck.raise(what .. ": the client is closed") end
end

local function check_url(text, given, what)
  local checked, problem = url.check(text, given.allow_insecure_http, (given.http_proxy or "") ~= "")
  if not checked then argcheck.raise(("ampersand.new: %s %s"):format(what, problem)) end
  return checked
end

local function check_servers(given)
  local servers = {}
  for name, address in pairs(given.servers or {}) do
    if not request.SERVERS[name] or type(address) ~= "string" then
      argcheck.raise(("ampersand.new: unknown server %q in `servers`; %s"):format(tostring(name),
        argcheck.hint(name, argcheck.names(request.SERVERS))))
    end
    servers[name] = check_url(address, given, "servers." .. name)
  end
  return servers
end

-- The transport is made at the first call: `require` stays cheap, and a fork before it costs nothing.
local function lazy_transport(config, transport)
  if transport then transport = config.given.transport(transport) end
  local function get()
    if transport then return transport end
    local ok, made = pcall(function() return require("ampersand." .. host.transport()).new(config) end)
    if not ok then return nil, "there is no HTTP engine: " .. tostring(made) end
    transport = made
    return made
  end
  local function close()
    if transport and transport.close then transport:close() end
  end
  return get, close
end

--- Makes a client. See ampersand.new.
---@param given table?
---@return ampersand.Client
function Client.new(given)
  given = check_settings(given, NEW_OPTIONS, "ampersand.new")
  local root, where = given.base_url or environment.option "base_url", given.base_url and "base_url" or "AMP_API_URL"
  local config = {
    timeout = 60, connect_timeout = 10, read_timeout = 30, retry = nil, nulls = "keep", user_agent = version.user_agent,
    project = environment.option "project", integration = environment.option "integration",
    api_key = hide(environment.option "api_key"), servers = check_servers(given),
    base_url = root and url.base(check_url(root, given, where)),
    given = given.transport and require "ampersand.transport.given",
    region = region_of(environment.option "region" or "", "ampersand.new: AMP_REGION"),
  }
  config.transport, config.close_transport = lazy_transport(config, given.transport)
  config.limiter = limiter.new(given.requests_per_second, core.now())
  return setmetatable({ _config = settle(config, given), _owner = true, _kept = new_store() }, Client)
end

return Client
