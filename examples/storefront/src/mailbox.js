// The mailbox beside the shop: what `rekey dev` has sent, the newest first. Only the demo has one.

const SHOWN = 4
const PAUSE = 1000
const box = document.querySelector('#mails')
const known = new Set()

/** Shows mails as they come; `arrived` is told of each that comes while the page is open. */
export async function watchMailbox(arrived) {
  for (let first = true; ; first = false) {
    const fresh = document.hidden ? [] : await newMails().catch(() => [])
    fresh.forEach(add)
    if (fresh.length && !first) {
      document.querySelector('#mail-notice').textContent = `New mail: ${fresh.at(-1).subject}`
      for (const mail of fresh) await arrived(mail)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** Those of the newest that were not seen before, the oldest first. */
async function newMails() {
  const mails = (await (await fetch('/dev/mailbox.json')).json()).slice(0, SHOWN)
  const fresh = mails.filter(({ id }) => !known.has(id)).map((mail) => ({ ...mail, link: linkIn(mail.text) }))
  for (const { id } of fresh) known.add(id)
  return fresh.reverse()
}

/** The link that leads to a new password: it has the reset's id and its token. */
function linkIn(text) {
  const urls = (text.match(/https?:\/\/\S+/g) ?? []).filter((url) => URL.canParse(url)).map((url) => new URL(url))
  return urls.find(({ pathname, searchParams }) => searchParams.has('token') && pathname !== '/not-me')
}

/** Puts a mail on top, open, and closes the others. */
function add({ id, subject, to, link }) {
  const copy = document.querySelector('#mail').content.cloneNode(true)
  const part = (name) => copy.querySelector(`.${name}`)
  part('subject').textContent = subject
  part('to').textContent = `to ${to}`
  part('frame').title = `Mail: ${subject}`
  part('frame').src = `/dev/mailbox/${id}`
  part('doors').hidden = !link
  if (link) {
    part('hosted').href = link
    part('own').href = `/new-password${link.search}`
  }
  for (const other of box.querySelectorAll('details')) other.open = false
  box.prepend(copy)
  box.children[SHOWN]?.remove()
  document.querySelector('#no-mail').hidden = true
}
