// Forms that show errors next to their field, and passwords that can be shown.
import { explain } from './explain.js'

/** Submits a form by `send`, which gets the values of its fields. The error that it throws is shown next to its field, which gets the focus. */
export function onSubmit(form, send) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    // The second click of a double click must not use the same link again.
    if (form.ariaBusy === 'true') return
    form.ariaBusy = 'true'
    clear(form)
    try {
      await send(Object.fromEntries(new FormData(form)))
    } catch (failure) {
      show(form, explain(failure))
    } finally {
      form.ariaBusy = 'false'
    }
  })
  for (const button of form.querySelectorAll('[data-shows]')) showOrHide(button, form.elements[button.dataset.shows])
}

/** Removes the errors of an earlier submission, and with `passwords` the typed passwords. */
export function clear(form, { passwords = false } = {}) {
  for (const place of form.querySelectorAll('.error')) place.textContent = ''
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid')
  for (const field of passwords ? form.querySelectorAll('[name=password]') : []) field.value = ''
}

function show(form, { field, text }) {
  const input = form.elements[field ?? form.dataset.focus]
  const place = form.querySelector(`.error[data-for="${field ?? 'form'}"]`)
  place.textContent = text
  if (field) input.ariaInvalid = 'true'
  input.focus()
}

function showOrHide(button, input) {
  button.addEventListener('click', () => {
    const shown = input.type === 'text'
    input.type = shown ? 'password' : 'text'
    button.ariaPressed = String(!shown)
  })
}
