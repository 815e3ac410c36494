--- Builds requests: operation + arguments -> method, url, headers, body. Pure; nothing is sent from here.
-- What many programs never ask for, headers of their own among it, is ampersand.client.request_parts'.

local core = require "ampersand.core"
local later = require "ampersand.util.later"

local request = later "ampersand.client.request_parts"

--- The vendor's servers. The proxy has no version in its path.
request.SERVERS = {
  api = "https://api.withampersand.com/v1",
  read = "https://read.withampersand.com/v1",
  write = "https://write.withampersand.com/v1",
  search = "https://search.withampersand.com/v1",
  proxy = "https://proxy.withampersand.com",
}

--- Percent-encodes everything but RFC 3986 "unreserved", so that no value can change the shape of a URL.
---@param value string|number|boolean
---@return string
function request.escape(value)
  if type(value) == "number" and value == math.floor(value) then value = ("%.0f"):format(value) end
  value = tostring(value)
  if not value:find "[^%w%-%._~]" then return value end
  return (value:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- Why `id` cannot stand in a path, or nil. "." and ".." are folded by servers even when percent-encoded.
---@param id any
---@return string?
function request.bad_id(id)
  local kind = type(id)
  if kind == "number" then
    if id ~= math.floor(id) or id ~= id or math.abs(id) == math.huge then return "is not a whole number" end
  elseif kind ~= "string" then
    return "is missing (got " .. kind .. ")"
  elseif id == "" then
    return "is empty"
  elseif id == "." or id == ".." then
    return ("must not be %q"):format(id)
  end
end

--- The server an operation goes to: base_url replaces all of them, `servers` single ones.
---@param config table
---@param server string? "read", "write", "search", "proxy"; nil is the main one
---@return string
function request.base(config, server)
  server = server or "api"
  return config.servers[server] or config.base_url or request.SERVERS[server]
end

-- Name and value of the header that carries the credential; false where there is none; nil and a message.
local function credential(op, config, bearer)
  if op.auth == "none" then return false end
  local key = op.auth ~= "bearer" and config.api_key and config.api_key()
  if key then return "X-Api-Key", key end
  if op.auth ~= "key" and bearer then return "Authorization", "Bearer " .. bearer end
  return nil, request.no_credential(op)
end

-- The headers; nil and a message.
local function headers_of(op, config, call)
  local name, value = credential(op, config, call.bearer_token)
  if name == nil then return nil, value end
  local text = op.returns == "text"
  local headers = {
    Accept = text and "text/plain, application/problem+json" or "application/json, application/problem+json",
    ["User-Agent"] = config.user_agent,
    ["Content-Type"] = call.body ~= nil and not call.raw and "application/json" or nil,
  }
  local more, most = config.headers, call.options.headers
  if more or most then
    local ok, why = request.add_headers(headers, more)
    if ok then ok, why = request.add_headers(headers, most) end
    if not ok then return nil, why end
  end
  if not name then return headers end
  if more or most or value:find "[%z\r\n]" then
    local ok, why = request.add_headers(headers, { [name] = value })
    if not ok then return nil, why end
  else
    headers[name] = value
  end
  return headers
end

-- The literal pieces of a path, around its placeholders.
local function split(op)
  local pieces = {}
  for piece in (op.path .. "{}"):gmatch "([^{]*)%b{}" do pieces[#pieces + 1] = piece end
  op.pieces = pieces
  return pieces
end

local function url_of(op, base, path)
  local pieces = op.pieces or split(op)
  local url = base .. pieces[1]
  for i = 2, #pieces do url = url .. request.escape(path[op.placeholders[i - 1]]) .. pieces[i] end
  return url
end

--- Builds one request.
---@param op table                 an operation of ampersand.client.operations
---@param config table             the client's settings
---@param call table  path = {wireName = id}, query = {name = value}, body = any, options = {headers = {}?},
--- bearer_token = string?, raw = whether the body is sent as it is, with a Content-Type among the headers
---@return string? url
---@return table headers           or why the request cannot be built (kind "config")
---@return string? body
---@return string? shown_url       template and query names only
function request.build(op, config, call)
  local headers, why = headers_of(op, config, call)
  if not headers then return nil, why end
  local body = call.body
  if body ~= nil and not call.raw then
    body, why = core.encode(body)
    if not body then return nil, "the request body cannot be written as JSON: " .. why end
  end
  local base = request.base(config, op.server)
  local url, shown = url_of(op, base, call.path), base .. (op.shown_path or op.path)
  if next(call.query) ~= nil then
    local query, names = request.query_string(call.query)
    url, shown = url .. query, shown .. names
  end
  return url, headers, body, shown
end

return request
