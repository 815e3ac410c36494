-- lua5.4 .ci/assertions.lua FILES...: fails on specs that assert nothing. A spec asserts by the word, or by calling a
-- function of its file that does.

local function lines_of(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = (line:gsub("%-%-.*", "")) end
  return list
end

-- The text of what begins in line `from` with some indentation: up to the next line that ends it as deep.
local function block(lines, from)
  local indent = lines[from]:match "^%s*"
  local parts = { lines[from] }
  if lines[from]:find "%f[%w]end[%s%),}]*$" then return parts[1] end
  for i = from + 1, #lines do
    parts[#parts + 1] = lines[i]
    if lines[i]:match "^(%s*)end%f[%W]" == indent or lines[i]:match "^(%s*)end$" == indent then break end
  end
  return table.concat(parts, "\n")
end

local function asserts(text, functions)
  if text:find "%f[%w]assert%f[%W]" or text:find "%f[%w]error%f[%W]" then return true end
  for name in pairs(functions) do
    if text:find("%f[%w_]" .. name .. "%f[^%w_]") then return true end
  end
  return false
end

local bad = false
for _, path in ipairs(arg) do
  local lines, functions, grown = lines_of(path), {}
  repeat
    grown = false
    for i, line in ipairs(lines) do
      local name = line:match "^%s*local function ([%w_]+)" or line:match "^%s*function [%w_.]*[.:]?([%w_]+)%s*%("
        or line:match "^%s*local ([%w_]+) = function"
      local body = name and not functions[name] and (block(lines, i):match "\n(.*)" or line:match "%)(.*)")
      if body and asserts(body, functions) then functions[name], grown = true, true end
    end
  until not grown
  for i, line in ipairs(lines) do
    if line:find "^%s*it%s*%(.*function%s*%(" or line:find "%f[%w]it%(.-, function%(%)" then
      local text = block(lines, i):gsub("^.-function%s*%(", "")
      if not asserts(text, functions) then
        io.stderr:write(("%s:%d: this spec asserts nothing\n"):format(path, i))
        bad = true
      end
    end
  end
end
os.exit(not bad)
