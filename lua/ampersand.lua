--- ampersand: a client for the Ampersand API.
--
--     local ampersand = require "ampersand"
--     local client = ampersand.new { project = "my-project", integration = "hubspot" }
--     for installation in client.installations:each() do print(installation.id, installation.healthStatus) end

-- Reading on, in the order of a call: client/resource (operations become methods), client/params (ids, fields,
-- options), client/list or client/iterator, client/sender (tries, deadline), client/request, a transport,
-- client/response. client/operations is the API as data. C does JSON (ampersand.core) and HTTP (ampersand.http).

local core = require "ampersand.core"
local require = require "ampersand.util.require"
local version = require "ampersand.version"

local ampersand = { _VERSION = version.number }

--- JSON null, equal to cjson.null.
ampersand.null = core.null

--- Marks a table as a JSON array, so that `{}` is written as `[]`; decoded arrays carry the mark.
---@type fun(t: table?): table
ampersand.array = core.array

--- Makes a client. Nothing is sent, and no library is loaded, before the first call.
--
-- `options`: `api_key` (else AMP_API_KEY or AMPERSAND_API_KEY of the environment), `project` (AMPERSAND_PROJECT_ID),
-- `integration` (AMPERSAND_INTEGRATION_ID), `org`, `bearer` (a JWT, or a function that returns one), `base_url`
-- (the root, or AMP_API_URL; /v1 is added unless its path ends in a version), `region` ("eu", or AMP_REGION),
-- `timeout` (60 s in all), `connect_timeout` (10 s), `read_timeout` (30 s without a byte), `retry`, `nulls` ("keep" or
-- "drop") … docs/options.md has the whole table.
-- Unknown options and wrong types raise. A missing key, project or integration is reported by the call that needs it.
---@param options ampersand.Options?
---@return ampersand.Client
function ampersand.new(options)
  local client = require "ampersand.client"
  if options == ampersand then
    require "ampersand.util.argcheck".raise "ampersand.new is a function: call it with a dot, as in ampersand.new {}"
  end
  return client.new(options)
end

--- Walks a decoded value: `ampersand.get(t, "connection.provider")` is nil wherever something is absent or null.
---@param value any
---@param path string keys joined by dots; digits index arrays, from 1
---@return any
function ampersand.get(value, path)
  local found = require "ampersand.util.deep".get(value, path)
  if found ~= core.null then return found end
end

--- Like assert, but an error object becomes readable text: before Lua 5.4 an uncaught table prints badly.
---@param value any
---@param err any
---@return any ...
function ampersand.assert(value, err, ...)
  if value or err == nil then return assert(value, err, ...) end
  error(ampersand.is_error(err) and tostring(err) or err, 2)
end

--- What is in use: `{ ampersand = "0.2.0", lua = "Lua 5.4", libcurl = "7.88.1", tls = "OpenSSL/3.0.17" }`.
-- Loads libcurl, except inside nginx and HAProxy, whose requests do not go through it; without it `libcurl` and `tls`
-- are nil.
---@return table<string, string>
function ampersand.versions()
  local in_use = { ampersand = version.number, lua = rawget(_G, "jit") and rawget(_G, "jit").version or _VERSION }
  local found, http = require "ampersand.util.host".transport() == "transport.curl", package.loaded["ampersand.http"]
  if found and not http then found, http = pcall(require, "ampersand.http") end
  if found then in_use.libcurl, in_use.tls = http.versions().libcurl, http.versions().tls end
  return in_use
end

--- Whether a value is an error object of this library.
---@param value any
---@return boolean
function ampersand.is_error(value)
  return require "ampersand.client.error".is(value)
end

-- Modules that not every program needs are loaded when they are first named; `true`: the module itself, else a function
-- of the module's.
local LAZY = {
  json = true, time = true, webhook = true, jwt = true, cancel = true, cache = true, gate = true, receiver = true,
  metrics = true,
  record = "record", replay = "record",
}

local MODULES = [[client client.iterator client.pages client.value client.query client.fields client.by_id client.raw
  client.bearer client.proxy client.parallel client.download transport.given cancel json time jwt webhook record metrics
  cache gate receiver fleet.watch fleet.explain fleet.wait fleet.edit fleet.undo fleet.deploy]]
local CURL = " transport.scheduler transport.parallel transport.open_streams transport.ahead"

--- Loads every module that a client may need later: for programs whose files go away (chroot, sandbox, an upgrade).
-- Those of the command and the mock server are not among them. What this machine lacks is left out.
function ampersand.load()
  local transport = require "ampersand.util.host".transport()
  local names = MODULES .. " " .. transport .. (transport == "transport.curl" and CURL or "")
  for name in names:gmatch "%S+" do pcall(require, "ampersand." .. name) end
end

return setmetatable(ampersand, {
  __index = function(self, name)
    local where = LAZY[name]
    if not where then return nil end
    local value = where == true and require("ampersand." .. name) or require("ampersand." .. where)[name]
    rawset(self, name, value)
    return value
  end,
})
