-- Checks the annotations (LuaCATS) of all files: unknown types, types declared twice, aliases that are not used.
local reference = require "support.reference"

local annotations = {}

local BUILTIN = {
  string = true, integer = true, number = true, boolean = true, table = true, any = true, fun = true, ["function"] = true,
  ["nil"] = true, ["true"] = true, ["false"] = true, userdata = true, thread = true, self = true, file = true,
}

-- The words of a type: without texts, and without names of parameters and members.
local function words(kind)
  kind = kind:gsub('"[^"]*"', ""):gsub("([%a_][%w_]*%??)%s*:", " ")
  return kind:gmatch "%a[%w_%.]*"
end

-- Calls use(type) for every type of one tag.
local function each_type(tag, rest, use)
  if tag == "class" then
    local parents = rest:match "^%S+%s*:%s*([%w_%., ]+)"
    if parents then use(parents) end
  elseif tag == "alias" then
    use((reference.split_type(rest:match "^%S+%s*(.*)$")))
  elseif tag == "param" or tag == "field" then
    local key = rest:match "^%[(.-)%]"
    if key and not key:find '^"' then use(key) end
    use((reference.split_type(rest:match "^%S+%s+(.*)$" or "any")))
  elseif tag == "type" or tag == "overload" then
    use((reference.split_type(rest)))
  elseif tag == "return" then
    while rest do
      local kind, after = reference.split_type(rest)
      use(kind)
      rest = after:match "^[%w_]+, (.*)$"
    end
  end
end

local function each_tag(text, use)
  for tag, rest in text:gmatch "%-%-%-@(%l+)[ \t]+([^\n]*)" do use(tag, rest) end
end

--- The texts of all Lua files of the library, by path.
function annotations.files()
  local files = {}
  local pipe = assert(io.popen "find lua -name '*.lua'")
  for path in pipe:lines() do
    local file = assert(io.open(path, "rb"))
    files[path] = file:read "*a"
    file:close()
  end
  pipe:close()
  return files
end

--- What is wrong with the annotations of some files.
---@param files table<string, string>
---@return string[]
function annotations.problems(files)
  local paths, found, declared, aliases = {}, {}, {}, {}
  for path in pairs(files) do paths[#paths + 1] = path end
  table.sort(paths)
  local function complain(words_, ...) found[#found + 1] = words_:format(...) end
  for _, path in ipairs(paths) do
    each_tag(files[path], function(tag, rest)
      local name = (tag == "class" or tag == "alias") and rest:match "^[%w_%.]+"
      if not name then return end
      local extended = name == "ampersand.Client" or name:find "^ampersand%.resource%."
      if declared[name] and not (extended and declared[name] ~= path) then
        complain("%s: type %s is declared in %s, too", path, name, declared[name])
      end
      declared[name] = declared[name] or path
      if tag == "alias" then aliases[name] = path end
    end)
  end
  for _, path in ipairs(paths) do
    each_tag(files[path], function(tag, rest)
      each_type(tag, rest, function(kind)
        for word in words(kind) do
          aliases[word] = nil
          if not BUILTIN[word] and not declared[word] then complain("%s: unknown type %s", path, word) end
        end
      end)
    end)
  end
  local unused = {}
  for name, path in pairs(aliases) do unused[#unused + 1] = ("%s: alias %s is not used"):format(path, name) end
  table.sort(unused)
  for _, problem in ipairs(unused) do found[#found + 1] = problem end
  return found
end

return annotations
