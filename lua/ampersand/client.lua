--- The client: operations become methods, defaults fill paths, `with` makes variants that share connections.

local arguments = require "ampersand.client.params"
local call = require "ampersand.client.sender"
local later = require "ampersand.util.later"
local operations = require "ampersand.client.operations"
local argcheck = require "ampersand.util.argcheck"
local pages = require "ampersand.client.list"
local version = require "ampersand.version"

local answer = later "ampersand.client.response"
local base_url = later "ampersand.util.url"
local client_extras = later "ampersand.client.client_extras"
local verbs = later "ampersand.client.verbs"
local views = later "ampersand.client.resource"

-- What `with` may change besides: who and what is asked, not how connections are made.
local SHARED_OPTIONS = {
  api_key = "string", bearer = "string|function", project = "string", integration = "string", org = "string",
  user_agent = "string", on_event = "function",
}

local NEW_OPTIONS = {
  base_url = "string", servers = "table", allow_insecure_http = "boolean", transport = "function|table",
  loop = "table", max_connections = "count", http_proxy = "string", http_version = "string", ca_file = "string",
  ca_path = "string", client_cert = "string", client_key = "string", insecure_skip_verify = "boolean",
}

local TRANSPORT_OPTIONS = {
  "connect_timeout", "read_timeout", "loop", "max_connections", "http_proxy", "http_version", "ca_file", "ca_path",
  "client_cert", "client_key", "insecure_skip_verify",
}

local NO_FILTER = {}

for name, kind in pairs(arguments.OPTIONS) do
  if name ~= "max" and name ~= "cancel" then SHARED_OPTIONS[name] = kind end
end
for name, kind in pairs(SHARED_OPTIONS) do NEW_OPTIONS[name] = kind end

-- From arguments to a call that is ready to be sent; nil, error when a default is missing.
local function prepare(client, what, op, parts, missing)
  local config = client._config
  if config.closed then argcheck.raise(what .. ": the client is closed") end
  parts.op, parts.config, parts.filter, parts.client = op, config, NO_FILTER, client
  local c = call.new(parts)
  if missing then return nil, call.error(c, "config", missing) end
  return c
end

local function is_list(op)
  return op.returns == "array" or op.returns == "page"
end

local function invoke(c)
  if is_list(c.op) then return pages.list(c, c.options.max) end
  local value, info = answer.value(c)
  return verbs.decorate(c.client, c.op, value), info
end

-- ---------------------------------------------------------------------------------------------
-- Resources and views. A view is a resource with another list operation, conditions or a selection.

---@class ampersand.Resource
local Resource = {}
local methods = {} -- resource name -> verb -> function

-- "installations:list", for messages; a method called with a dot has no resource.
local function describe(self, verb)
  if getmetatable(self) ~= Resource then
    argcheck.raise(("%s is a method: call it with a colon, as in client.installations:%s()"):format(verb, verb))
  end
  return self._name .. ":" .. verb
end

-- A call of a view's list operation, ready to be read in some way.
local function prepare_list(self, verb, ...)
  local what = describe(self, verb)
  local op = self._list or operations.get(self._name, "list")
  if not op or not (is_list(op) or verb == "list") then views.refuse(self, what) end
  local c, err = prepare(self._client, what, op, arguments.of_method(what, op, self._client._config, ...))
  if c then c.filter = self._filter or NO_FILTER end
  return c, err
end

local function read(self, verb, ...)
  local c, err = prepare_list(self, verb, ...)
  if not c then return nil, err end
  return pages[verb](c)
end

local function iterate(self, verb, ...)
  local c, err = prepare_list(self, verb, ...)
  if not c then error(err, 0) end
  return pages[verb](c)
end

--- All elements as one table.
function Resource:list(...)
  local c, err = prepare_list(self, "list", ...)
  if not c then return nil, err end
  return invoke(c)
end

--- Iterates while the body is still arriving; raises the error object.
function Resource:each(...) return iterate(self, "each", ...) end

--- The form of `each` that raises nothing: an object with `next()` and `close()`.
function Resource:stream(...) return read(self, "stream", ...) end

--- Iterates over whole pages; raises the error object.
function Resource:pages(...) return iterate(self, "pages", ...) end

--- The first element, or nil.
function Resource:first(...) return read(self, "first", ...) end

--- The number of elements, without making tables.
function Resource:count(...) return read(self, "count", ...) end

--- A view of the elements for which all conditions hold; see ampersand.client.query for their form.
---@param condition table|function
---@return ampersand.Resource
function Resource:where(condition) return views.where(self, describe(self, "where"), condition) end

--- A view of the elements reduced to some paths.
---@param paths string[]
---@return ampersand.Resource
function Resource:select(paths) return views.select(self, describe(self, "select"), paths) end

--- The view over all integrations of the project.
---@return ampersand.Resource
function Resource:in_project() return views.in_project(self, describe(self, "in_project")) end

local function verb_method(name, verb)
  local op = operations.get(name, verb)
  return op and function(self, ...)
    local what, client = describe(self, verb), self._client
    if self._filter then views.refuse_verb(what) end
    local c, err = prepare(client, what, op, arguments.of_method(what, op, client._config, ...))
    if not c then return nil, err end
    return invoke(c)
  end
end

function Resource:__index(verb)
  local found = Resource[verb]
  if found then return found end
  if type(verb) ~= "string" or verb:match("^_") then return nil end
  local name = rawget(self, "_name")
  methods[name] = methods[name] or {}
  local method = methods[name][verb] or verb_method(name, verb) or views.extra(name, verb)
  methods[name][verb] = method
  return method
end

function Resource:__tostring()
  return "ampersand." .. self._name
end

-- ---------------------------------------------------------------------------------------------
-- The client itself.

---@class ampersand.Client
local Client = {}

--- Calls any operation by its name in the vendor's documents.
---@param id string operation id, such as "listInstallations"
---@param params table? wire names of path and query parameters; `body` apart
---@param given table? options
---@return any value, table|ampersand.Error info
function Client:call(id, params, given)
  local op, what = operations.by_id[id] or client_extras.refuse(id), "client:call " .. id
  local c, err = prepare(self, what, op, arguments.of_call(what, op, self._config, params, given))
  if not c then return nil, err end
  return invoke(c)
end

--- Sends a request that is not in the table of operations.
---@param method string
---@param path string begins with "/" and stands below the base URL; ids in it are yours to escape
---@param given table? query, body, server ("read", "write", "search"), and the options of any call
---@return any value decoded JSON, text, or true
---@return table|ampersand.Error info
function Client:request(method, path, given)
  local op, parts = arguments.of_request("client:request", method, path, given)
  return answer.value(prepare(self, "client:request", op, parts))
end

--- Sends a request through to the provider behind an installation, with the customer's credentials.
--
-- Whose: `installation` (its id), or `group` (a groupRef) with `integration` (a name; else the client's). Further:
-- `query` (values may be lists), `body` (a table becomes JSON, a string goes as it is with `content_type`), `headers`,
-- `throttle` (the API holds requests back while the provider limits their rate), `stream` (the answer is an object with
-- status, headers, `read()` and `close()`), and the options of any call. The provider's own error answers are the error
-- object, their body in `err.body`. Where the client knows the project by name its id is asked for once.
---@param method string
---@param path string as the provider's API has it; ids in it are yours to escape
---@param given table
---@return any value decoded JSON, text, or true
---@return table|ampersand.Error info
function Client:proxy(method, path, given)
  if self._config.closed then argcheck.raise "client:proxy: the client is closed" end
  return require("ampersand.client.proxy").send(self, method, path, given)
end

--- Runs functions side by side on this client's connections, at most `n` at a time, each a coroutine of its own.
-- One that fails does not stop the others. In PUC Lua 5.1 a task cannot wait inside pcall or a `for` iterator.
---@param n integer how many at once
---@param tasks (fun(): any, any)[] each answers a value, or nil and an error
---@return table values in the order of the tasks, `n` their number; a failed one's place is nil
---@return table errors by place: what a task answered as its error, or raised
function Client:parallel(n, tasks)
  return client_extras.parallel(self, n, tasks)
end

--- Moves all requests on for at most `budget` seconds: once a frame, in a program with a loop of its own.
---@param budget number? seconds; nil or 0: one step
function Client:poll(budget)
  client_extras.poll(self, budget)
end

--- A client with other settings that shares this one's connections.
---@param changes table any option of a call, and api_key, bearer, project, integration, org, user_agent, on_event
---@return ampersand.Client
function Client:with(changes)
  client_extras.check_changes(changes, SHARED_OPTIONS, NEW_OPTIONS)
  return Client.derive(self, changes or {})
end

--- Closes the client's connections; calls on it, and on the clients made from it by `with`, are misuse from then on.
function Client:close()
  if getmetatable(self) ~= Client then argcheck.raise "close is a method: call it with a colon: client:close()" end
  self._config.closed = true
  if self._owner then self._config.close_transport() end
end

function Client:__index(name)
  if Client[name] then return Client[name] end
  if type(name) ~= "string" or name:match("^_") then return nil end
  if not operations.lines[name] then client_extras.refuse_resource(name) end
  local resource = setmetatable({ _client = self, _name = name }, Resource)
  rawset(self, name, resource)
  return resource
end

function Client:__tostring()
  local config = self._config
  return ("ampersand.client(project=%s, integration=%s)"):format(config.project or "?", config.integration or "?")
end

Client.__close = Client.close

function Client.__newindex(_, name) client_extras.refuse_assignment(name) end

-- Secrets live in closures: a table printer that walks a client finds functions.
local function hide(secret)
  return secret and function() return secret end
end

local function settle(config, given)
  if given.api_key == "" or given.bearer == "" then client_extras.refuse_empty(given) end
  for name, value in pairs(given) do config[name] = value end
  if given.api_key then config.api_key = hide(given.api_key) end
  if given.bearer then
    config.renewable = type(given.bearer) == "function"
    config.bearer = config.renewable and given.bearer or hide(given.bearer)
  end
  if given.user_agent then config.user_agent = version.user_agent .. " " .. given.user_agent end
  return config
end

--- A client whose settings are another's but for some; what `with` answers, without its checks.
---@param parent ampersand.Client
---@param changes table
---@return ampersand.Client
function Client.derive(parent, changes)
  local base = parent._config
  -- `closed` and everything not changed is read through to the parent
  local config = setmetatable({}, { __index = base })
  return setmetatable({ _config = settle(config, changes), _owner = false }, Client)
end

local function environment(name)
  local value = os.getenv(name)
  if value ~= "" then return value end
end

local function check_url(url, given, what)
  local checked, problem = base_url.check(url, given.allow_insecure_http, (given.http_proxy or "") ~= "")
  if not checked then argcheck.raise(("ampersand.new: %s %s"):format(what, problem)) end
  return checked
end

local function check_servers(given)
  local servers = {}
  for name, url in pairs(given.servers or {}) do
    client_extras.check_server(name, url)
    servers[name] = check_url(url, given, "servers." .. name)
  end
  return servers
end

local function default_transport()
  local in_nginx = type(rawget(_G, "ngx")) == "table" and rawget(_G, "ngx").get_phase
  return require(in_nginx and "ampersand.transport.nginx" or "ampersand.transport.curl")
end

-- The transport is made at the first call: `require` stays cheap, and a fork before it costs nothing.
local function lazy_transport(given)
  local transport = given.transport and client_extras.wrap_transport(given.transport)
  local function get()
    if not transport then
      local settings = {}
      for _, name in ipairs(TRANSPORT_OPTIONS) do settings[name] = given[name] end
      transport = default_transport().new(settings)
    end
    return transport
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
  given = argcheck.check(given, NEW_OPTIONS, "ampersand.new")
  arguments.check_choices(given, "ampersand.new")
  local root = environment "AMP_API_URL" or environment "AMPERSAND_API_URL"
  local base = given.base_url and check_url(given.base_url, given, "base_url")
    or root and check_url(root, given, "AMP_API_URL") .. "/v1" or nil
  local transport, close_transport = lazy_transport(given)
  local config = {
    timeout = 60, connect_timeout = 10, read_timeout = 30, retry = nil, nulls = "keep", user_agent = version.user_agent,
  }
  settle(config, given)
  config.api_key = config.api_key or hide(environment "AMP_API_KEY" or environment "AMPERSAND_API_KEY")
  config.project = config.project or environment "AMPERSAND_PROJECT_ID"
  config.integration = config.integration or environment "AMPERSAND_INTEGRATION_ID"
  config.base_url, config.servers = base, check_servers(given)
  config.transport, config.close_transport = transport, close_transport
  return setmetatable({ _config = config, _owner = true }, Client)
end

return Client
