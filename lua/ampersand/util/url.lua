--- URLs: their parts, what may be a base URL, and percent-encoding. Pure.

local find, url = string.find, {}

--- The parts of an http(s) URL; nil for any other text.
---@param text string
---@return { scheme: string, authority: string, host: string, port: string?, path: string, query: string? }?
function url.parse(text)
  local scheme, authority, rest = text:match "^(%a[%w+.-]*)://([^/?#]+)([^#]*)"
  if not scheme then return nil end
  local host, port = authority:gsub("^.*@", ""):match "^(%[[%x:.]+%]):?(%d*)$"
  if not host then host, port = authority:gsub("^.*@", ""):match "^([^:%[%]]+):?(%d*)$" end
  return {
    scheme = scheme:lower(), authority = authority, host = (host or ""):lower(), port = port ~= "" and port or nil,
    path = rest:match "^[^?]*", query = rest:match "%?(.*)$",
  }
end

-- "localhost" and what ends in it (RFC 6761); every spelling of ::1, and of 127.0.0.0/8, also within IPv6.
local LOOPBACK = {
  "^localhost$", "%.localhost$", "^%[[0:]*:0*1%]$", "^%[[0:]*:ffff:127%.[%d.]+%]$", "^%[[0:]*:ffff:7f%x%x:%x+%]$",
  "^127%.%d+$", "^127%.%d+%.%d+$", "^127%.%d+%.%d+%.%d+$",
}

--- Whether a URL leads to this machine, by name or literal address.
---@param text string
---@return boolean
function url.is_loopback(text)
  local host = ((url.parse(text) or {}).host or ""):gsub("%.$", "")
  for _, pattern in ipairs(LOOPBACK) do
    if host:find(pattern) then return true end
  end
  return false
end

--- Checks a base URL and removes closing slashes.
---@param text string
---@param insecure boolean? whether plain http to other machines is allowed
---@param proxied boolean? whether requests pass through a proxy
---@return string? url, string? problem
function url.check(text, insecure, proxied)
  local parts = url.parse(text)
  if not parts or text:find "[%c%s?#\\]" then
    return nil, "is not an http(s) URL such as https://api.withampersand.com/v1"
  end
  local port = parts.authority:match ":(%d+)$"
  if port and (tonumber(port) < 1 or tonumber(port) > 65535) then return nil, "names a port that is none: " .. port end
  if parts.authority:find("@", 1, true) then return nil, "must not carry a user name or password" end
  if parts.scheme == "http" then
    local reader = not url.is_loopback(text) and "network" or proxied and "proxy"
    if reader and not insecure then
      return nil, ("is plain http, which would show the key to the %s; use https, or set allow_insecure_http = true")
        :format(reader)
    end
  elseif parts.scheme ~= "https" then
    return nil, "has scheme " .. parts.scheme .. "; only http and https are spoken"
  end
  return (text:gsub("/+$", ""))
end

--- The base URL of a root: `/v1` is added unless the path ends in a version; closing slashes do not matter.
---@param text string "http://127.0.0.1:8080", "https://api.withampersand.com/v1/"
---@return string url unchanged when it is not a URL
function url.base(text)
  local parts, bare = url.parse(text), text:gsub("/+$", "")
  if not parts or text:find "[?#]" then return text end
  return parts.path:find "/v%d+/*$" and bare or bare .. "/v1"
end

--- Checks the name of a region.
---@param text string
---@return string|false|nil region in lower case; false for "us" and "", where the servers are as they are
---@return string? problem
function url.region(text)
  local name = text:match "^%s*(.-)%s*$":lower()
  if name == "" or name == "us" then return false end
  if #name <= 63 and name:find "^%l[%l%d-]*$" and not name:find "%-$" then return name end
  return nil, "is not the name of a region, such as eu"
end

--- Scheme, host and port of a URL, for messages; nil where it names none.
---@param text string
---@return string?
function url.origin(text)
  local scheme, authority = text:match "^(%a[%w+.-]*://)([^/?#]+)"
  return scheme and scheme .. authority:gsub("^.*@", "") or nil
end

--- Percent-encodes everything but RFC 3986 "unreserved", so that no value can change the shape of a URL.
---@param value string|number|boolean
---@return string
function url.escape(value)
  local kind = type(value)
  if kind == "number" then
    -- a locale may write a decimal comma
    value = value == math.floor(value) and ("%.0f"):format(value) or tostring(value):gsub(",", ".")
  elseif kind ~= "string" then
    value = tostring(value)
  end
  if find(value, "^[%w._~-]*$") then return value end
  return (value:gsub("[^%w._~-]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return url
