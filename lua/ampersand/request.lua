--- Builds requests: operation + arguments -> method, url, headers, body. Pure; nothing is sent from here.

local core = require "ampersand.core"

local request = {}

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
  return (tostring(value):gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
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

local function origin_and_path(base)
  return base:match("^(%a[%w+.-]*://[^/?#]+)(.*)$")
end

--- Checks a base URL and takes closing slashes off.
---@param url string
---@param insecure boolean? whether plain http to other machines is allowed
---@return string? url, string? problem
function request.check_base(url, insecure)
  local scheme, authority = url:match("^(%a+)://([^/?#]+)")
  if not scheme or url:find("[%c%s?#\\]") then
    return nil, "is not an http(s) URL such as https://api.withampersand.com/v1"
  end
  scheme = scheme:lower()
  if authority:find("@", 1, true) then return nil, "must not carry a user name or password" end
  if scheme == "http" then
    local host = authority:lower():gsub(":%d+$", "")
    local loopback = host == "localhost" or host == "[::1]" or host:match("^127%.%d+%.%d+%.%d+$")
    if not loopback and not insecure then
      return nil, "is plain http, which would show the key to the network; use https, or set allow_insecure_http = true"
    end
  elseif scheme ~= "https" then
    return nil, "has scheme " .. scheme .. "; only http and https are spoken"
  end
  return (url:gsub("/+$", ""))
end

--- The server an operation goes to: base_url replaces all of them, `servers` single ones.
---@param config table
---@param server string? "read", "write", "search", "proxy"; nil is the main one
---@return string
function request.base(config, server)
  server = server or "api"
  return config.servers[server] or config.base_url or request.SERVERS[server]
end

local function auth_headers(op, config, bearer)
  local key = config.api_key and config.api_key()
  if op.auth == "none" then return {} end
  if op.auth ~= "bearer" and key then return { ["X-Api-Key"] = key } end
  if op.auth ~= "key" and bearer then return { Authorization = "Bearer " .. bearer } end
  if op.auth == "bearer" then
    return nil, op.id .. " takes only a bearer token: give `bearer`, a JWT or a function that returns one"
  end
  local other = op.auth == "key" and "" or " (or `bearer`)"
  return nil, "no API key: give `api_key`" .. other .. " to ampersand.new, or set AMP_API_KEY in the environment"
end

--- Sets a header, whatever the case of an earlier one of that name.
---@param headers table<string, string>
---@param name string
---@param value any
function request.set_header(headers, name, value)
  local lower = tostring(name):lower()
  for other in pairs(headers) do
    if tostring(other):lower() == lower then headers[other] = nil end
  end
  headers[name] = value
end

local function add_headers(headers, more)
  for name, value in pairs(more or {}) do
    value = tostring(value)
    if type(name) ~= "string" or not name:match("^[%w!#$%%&'*+%-.^_`|~]+$") then
      return nil, ("header name %q is not a token of RFC 9110"):format(tostring(name):gsub("%c", "?"))
    end
    if value:find("[%z\r\n]") then
      return nil, ("the value of header %s has a line break or a NUL in it"):format(name)
    end
    request.set_header(headers, name, value)
  end
  return true
end

local function query_string(query)
  local names, parts = {}, {}
  for name in pairs(query) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = query[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      parts[#parts + 1] = request.escape(name) .. "=" .. request.escape(each)
    end
  end
  return #parts > 0 and "?" .. table.concat(parts, "&") or "", #names > 0 and "?" .. table.concat(names, "&") or ""
end

--- Builds one request.
---@param op table                 an operation of ampersand.operations
---@param config table             the client's settings
---@param call table  path = {wireName = id}, query = {name = value}, body = any, headers = {}, bearer = string?,
--- raw = whether the body is sent as it is, with a Content-Type among the headers
---@return table? request          method, url, headers, body, shown_url (template and query names only)
---@return string? message         why it cannot be built (kind "config")
function request.build(op, config, call)
  local auth, why = auth_headers(op, config, call.bearer)
  if not auth then return nil, why end
  local wanted = op.returns == "text" and "text/plain" or "application/json"
  local headers = {
    Accept = wanted .. ", application/problem+json",
    ["User-Agent"] = config.user_agent,
  }
  -- a compressed text that was cut could pass for a whole one: nothing in it tells its end
  if op.returns == "text" then headers["Accept-Encoding"] = "identity" end
  local body = call.body
  if body ~= nil and not call.raw then
    body, why = core.encode(body)
    if not body then return nil, "the request body cannot be written as JSON: " .. why end
    headers["Content-Type"] = "application/json"
  end
  local ok
  ok, why = add_headers(headers, config.headers)
  if ok then ok, why = add_headers(headers, call.headers) end
  if ok then ok, why = add_headers(headers, auth) end
  if not ok then return nil, why end

  local base = request.base(config, op.server)
  local path = op.path:gsub("{(%w+)}", function(name) return request.escape(call.path[name]) end)
  local query, query_names = query_string(call.query or {})
  return {
    method = op.method,
    url = base .. path .. query,
    headers = headers,
    body = body,
    shown_url = base .. (op.shown_path or op.path) .. query_names,
  }
end

--- Scheme, host and port of a URL, for messages.
---@param url string
---@return string
function request.origin(url)
  return (origin_and_path(url)) or "?"
end

return request
