// The page's end of `kfnb ui`: live.js gets a model as in a notebook, whose messages go through a WebSocket.

const LONGEST_PAUSE = 10_000;

/** Callbacks, as JupyterLab's signals have them. */
class Signal {
  #callbacks = new Set();
  connect(callback) {
    this.#callbacks.add(callback);
  }
  disconnect(callback) {
    this.#callbacks.delete(callback);
  }
  emit(...values) {
    for (const callback of this.#callbacks) callback(...values);
  }
}

/** What live.js needs of anywidget's model. It connects again where the connection is lost. */
class SocketModel {
  #mark;
  #heard = new Signal();
  #socket;
  #unsent = [];
  #pause = 500;
  #changed = new Signal();
  #message;
  #buffers = [];

  constructor(mark) {
    this.#mark = mark;
    this.widget_manager = { kernel: { connectionStatusChanged: this.#changed } };
    this.#open();
  }

  get(name) {
    return name === "token" ? this.#mark : undefined;
  }

  on(_event, callback) {
    this.#heard.connect(callback);
  }

  off(_event, callback) {
    this.#heard.disconnect(callback);
  }

  send(content) {
    const text = JSON.stringify(content);
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    else this.#unsent.push(text);
  }

  #open() {
    const address = new URL("/socket", location.href);
    address.protocol = "ws:";
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", (event) => this.#receive(event.data));
    this.#socket.addEventListener("close", () => this.#closed());
  }

  #opened() {
    this.#pause = 500;
    document.body.classList.remove("away");
    for (const text of this.#unsent.splice(0)) this.#socket.send(text);
    this.#changed.emit(this, "connected");
  }

  #closed() {
    document.body.classList.add("away");
    setTimeout(() => this.#open(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** A message, and then as many buffers as it says. */
  #receive(data) {
    if (typeof data === "string") {
      this.#message = JSON.parse(data);
      this.#buffers = [];
    } else {
      this.#buffers.push(new DataView(data));
    }
    if (this.#buffers.length === this.#message.buffers) this.#heard.emit(this.#message.message, this.#buffers);
  }
}

/** Fetch a page that is not live again, and show what is new; not while a person selects text in it. */
async function refresh(main) {
  if (document.hidden || String(getSelection())) return;
  const answer = await fetch(location.href).catch(() => undefined);
  document.body.classList.toggle("away", answer === undefined);
  if (!answer) return;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  if (!found || main.querySelector("details[open]")) return;
  link(found);
  if (found.innerHTML !== main.innerHTML) main.innerHTML = found.innerHTML;
}

/** Make links of the cells of tables that name what the list at the side links to. */
function link(main) {
  const addresses = new Map([...main.querySelectorAll("aside a")].map((one) => [one.textContent, one.href]));
  for (const cell of main.querySelectorAll("section :is(th, td)")) {
    const address = addresses.get(cell.textContent);
    if (address === undefined) continue;
    const anchor = document.createElement("a");
    anchor.href = address;
    anchor.append(...cell.childNodes);
    cell.append(anchor);
  }
}

const mark = document.body.dataset.mark;
const main = document.querySelector("main");
if (mark) {
  const { default: live } = await import("/static/live.js");
  live.initialize({ model: new SocketModel(mark) });
} else if (main?.dataset.refresh) {
  link(main);
  setInterval(() => void refresh(main), Number(main.dataset.refresh) * 1000);
}
