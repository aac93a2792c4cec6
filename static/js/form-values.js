// The values of a form's fields as plain data, and back. A file can only be named: no script may choose one.

import { withoutPlaceholders } from "./uploads.js";

const UNKEPT = /^(csrfmiddlewaretoken|version|overwrite|copy|initial-.*|_.*)$/;
// From open to everybody to closed.
const GUARD = { published: 0, unlisted: 1, private: 2, draft: 2 };

const fieldsOf = (form) =>
  [...form.elements].filter(
    ({ name, type, disabled, tagName }) =>
      name && !disabled && !UNKEPT.test(name) && !/^(submit|button|fieldset)$/.test(type || tagName),
  ).filter((field) => !field.closest(".inline-group"));

const chosen = (select) => [...select.selectedOptions].map(({ value, text }) => [value, text]);

export function snapshot(form) {
  const values = {};
  const files = {};
  for (const field of fieldsOf(form)) {
    if (field.type === "file") {
      if (field.files.length) files[field.name] = field.files[0].name;
    } else if (field.type === "checkbox") values[field.name] = field.checked;
    else if (field.tagName === "SELECT") values[field.name] = chosen(field);
    else values[field.name] = field.value;
  }
  return { values, files };
}

const plain = (value) => (Array.isArray(value) ? JSON.stringify(value.map(([key]) => key).sort()) : value);

// Whether a copy says what the form says; fields that the copy doesn't know don't count.
export const sameValues = (copy, values) =>
  Object.entries(copy).every(([name, value]) => !(name in values) || plain(value) === plain(values[name]));

function fill(field, value) {
  if (field.type === "checkbox") field.checked = value;
  else if (field.tagName === "SELECT") {
    for (const [key, text] of value) {
      if (![...field.options].some((option) => option.value === key)) field.append(new Option(text, key));
    }
    for (const option of field.options) option.selected = value.some(([key]) => key === option.value);
  } else field.value = field.name === "body" ? withoutPlaceholders(value) : value;
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}

// Put a copy's values into the form and tell whether something was left as it is, because the copy would have opened the
// post to more readers than the form does: it is older than whatever closed it.
export function apply(form, values) {
  const { status, password, published_at_0: day, published_at_1: time } = form.elements;
  const left = new Set();
  if (values.status && GUARD[values.status[0]?.[0]] < GUARD[status?.value]) left.add("status");
  if (password?.value && !values.password) left.add("password");
  const moment = (date, clock) => new Date(`${(date ?? "").replaceAll("/", "-")}T${clock || "00:00"}`);
  const present = moment(day?.value, time?.value);
  if (present > Date.now() && !(moment(values.published_at_0, values.published_at_1) >= present)) {
    left.add("published_at_0").add("published_at_1");
  }
  for (const field of fieldsOf(form)) {
    if (field.type !== "file" && field.name in values && !left.has(field.name)) fill(field, values[field.name]);
  }
  return left.size > 0;
}
