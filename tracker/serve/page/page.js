"use strict";

// One frame is on its way at a time: the next one is taken when the answer to the last is there, so
// a slow line or a slow tracker lowers the rate and never makes pictures late.

const LONGEST_SIDE = 640, JPEG_QUALITY = 0.8, HISTORY_S = 10;
const COLOURS = ["#50dc64", "#5aaaff", "#ffaa3c", "#f06ec8", "#ffe650", "#78f0f0", "#be8cff"];
const CHI2_95 = 5.991;  // of two degrees of freedom
const byId = (id) => document.getElementById(id);
const picture = byId("picture"), canvas = picture.getContext("2d"), camera = byId("camera");
const sent = document.createElement("canvas");  // the frame that is on its way
const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
const state = { socket: null, layout: null, answer: null, frames: 0, arrivals: [], history: [] };
window.starTracker = state;

function say(text, bad = false) {
  byId("state").textContent = text;
  byId("state").classList.toggle("bad", bad);
}

// ---- camera and socket ----

async function start() {
  if (state.socket) { stop("The camera is off."); return; }
  if (!navigator.mediaDevices) {
    say("This browser gives its camera to https pages and to this machine's own only: serve with --certificate and --key.", true);
    return;
  }
  say("Waiting for the camera …");
  try {
    const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
    camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    await camera.play();
  } catch (error) {
    say(`No camera: ${error.message || error.name}`, true);
    return;
  }
  const facing = camera.srcObject.getVideoTracks()[0].getSettings().facingMode;
  if (facing === "environment") byId("mirror").checked = false;
  connect();
}

function stop(text, bad = false) {
  const socket = state.socket;
  state.socket = null;
  if (socket) socket.close();
  if (camera.srcObject) camera.srcObject.getTracks().forEach((track) => track.stop());
  camera.srcObject = null;
  byId("start").textContent = "Start camera";
  say(text, bad);
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const query = token ? `?token=${encodeURIComponent(token)}` : "";
  const socket = new WebSocket(`${scheme}://${location.host}/live${query}`);
  state.socket = socket;
  socket.binaryType = "arraybuffer";
  byId("start").textContent = "Stop";
  say("Connecting …");
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.outlines) {
      state.layout = message;
      say("Live.");
    } else {
      receive(message);
    }
    if (state.socket === socket) nextFrame(() => send(socket));
  };
  socket.onclose = (event) => {
    if (state.socket !== socket) return;
    const refused = "refused: open the page by the address that the tracker printed";
    stop(`The tracker closed the line${event.reason ? `: ${event.reason}` : event.code === 1006 ? ` or ${refused}` : ""}.`, true);
  };
}

function nextFrame(take) {
  if (camera.requestVideoFrameCallback) camera.requestVideoFrameCallback(take);
  else requestAnimationFrame(take);
}

function send(socket) {
  if (state.socket !== socket || !camera.videoWidth) return;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(camera.videoWidth, camera.videoHeight));
  sent.width = Math.round(camera.videoWidth * scale);
  sent.height = Math.round(camera.videoHeight * scale);
  sent.getContext("2d").drawImage(camera, 0, 0, sent.width, sent.height);
  const taken = performance.now();
  sent.toBlob(async (blob) => {
    if (!blob || state.socket !== socket) return;
    const stamp = new ArrayBuffer(8);
    new DataView(stamp).setFloat64(0, taken, true);
    socket.send(await new Blob([stamp, blob]).arrayBuffer());
    state.taken = taken;
  }, "image/jpeg", JPEG_QUALITY);
}

function receive(answer) {
  const now = performance.now();
  state.answer = answer;
  state.frames += 1;
  state.roundTripMs = now - state.taken;
  state.arrivals = [...state.arrivals.filter((at) => at > now - 1000), now];
  byId("fps").textContent = state.arrivals.length;
  byId("trip").textContent = `${state.roundTripMs.toFixed(0)} ms`;
  byId("server").textContent = `${answer.server_ms.toFixed(0)} ms`;
  byId("faces").textContent = answer.faces.length
    ? answer.faces.map((face) => `#${face.face_id}`).join(" ") : "none";
  draw(answer);
  remember(answer, now / 1000);
}

// ---- drawing ----

function draw(answer) {
  const width = sent.width, height = sent.height, mirrored = byId("mirror").checked;
  if (picture.width !== width || picture.height !== height) {
    picture.width = width;
    picture.height = height;
  }
  canvas.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
  canvas.drawImage(sent, 0, 0);
  for (const face of answer.faces) drawFace(face, mirrored, width);
  canvas.setTransform(1, 0, 0, 1, 0, 0);
}

function drawFace(face, mirrored, width) {
  const colour = face.predicted ? "#a0a0a0" : COLOURS[face.face_id % COLOURS.length];
  const eye = eyeDistance(face.points), radius = Math.max(1, eye / 55);
  canvas.strokeStyle = canvas.fillStyle = colour;
  if (byId("points").checked) {
    canvas.lineWidth = Math.max(1, eye / 100);
    for (const [members, closed] of state.layout.outlines) {
      canvas.beginPath();
      members.forEach((index) => canvas.lineTo(...face.points[index]));
      if (closed) canvas.closePath();
      canvas.stroke();
    }
    canvas.fillStyle = "#fff";
    for (const [x, y] of face.points) {
      canvas.beginPath();
      canvas.arc(x, y, radius, 0, 2 * Math.PI);
      canvas.fill();
    }
  }
  if (byId("ellipses").checked) {
    canvas.lineWidth = 1;
    face.points.forEach((point, index) => drawEllipse(point, face.covariances[index]));
  }
  if (face.pose && byId("pose").checked) drawPose(face, eye);
  const left = Math.min(...face.points.map((p) => mirrored ? width - p[0] : p[0]));
  const top = Math.min(...face.points.map((p) => p[1]));
  canvas.save();
  canvas.setTransform(1, 0, 0, 1, 0, 0);
  canvas.fillStyle = colour;
  canvas.font = "16px system-ui, sans-serif";
  const pose = face.pose && byId("pose").checked
    ? `  yaw ${face.pose.yaw_deg.toFixed(0)}°  pitch ${face.pose.pitch_deg.toFixed(0)}°  roll ${face.pose.roll_deg.toFixed(0)}°` : "";
  const label = `#${face.face_id}${face.predicted ? " (predicted)" : ""}${pose}`;
  canvas.strokeStyle = "#000b";
  canvas.lineWidth = 4;
  canvas.strokeText(label, left, Math.max(18, top - 8));
  canvas.fillText(label, left, Math.max(18, top - 8));
  canvas.restore();
}

function drawEllipse([x, y], [xx, xy, yy]) {
  const half = (xx + yy) / 2, off = Math.hypot((xx - yy) / 2, xy);
  const axes = [half + off, half - off].map((value) => Math.sqrt(CHI2_95 * Math.max(value, 0)));
  canvas.beginPath();
  canvas.ellipse(x, y, axes[0], axes[1], Math.atan2(2 * xy, xx - yy) / 2, 0, 2 * Math.PI);
  canvas.stroke();
}

function drawPose(face, eye) {
  const [x, y, z, w] = face.pose.quaternion;
  const columns = [
    [1 - 2 * (y * y + z * z), 2 * (x * y + z * w)],
    [2 * (x * y - z * w), 1 - 2 * (x * x + z * z)],
    [2 * (x * z + y * w), 2 * (y * z - x * w)],
  ];
  const [right, left] = eyeCorners(face.points);
  const origin = [(right[0] + left[0]) / 2, (right[1] + left[1]) / 2];
  // x to the person's left, y up, z out of the face
  [[columns[0], 1, "#f55"], [columns[1], -1, "#5f5"], [columns[2], -1, "#59f"]].forEach(([axis, sign, colour]) => {
    canvas.strokeStyle = colour;
    canvas.lineWidth = Math.max(2, eye / 40);
    canvas.beginPath();
    canvas.moveTo(...origin);
    canvas.lineTo(origin[0] + sign * axis[0] * eye * 0.8, origin[1] + sign * axis[1] * eye * 0.8);
    canvas.stroke();
  });
}

// ---- curves ----

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const has68 = () => state.layout && state.layout.count === 68;
const eyeCorners = (p) => has68() ? [p[36], p[45]] : [p[0], p[p.length - 1]];
const eyeDistance = (p) => distance(...eyeCorners(p));

function opening(p, first) {  // height of an eye over its width
  return (distance(p[first + 1], p[first + 5]) + distance(p[first + 2], p[first + 4])) / (2 * distance(p[first], p[first + 3]));
}

function valuesOf(face) {
  if (face.eyes && face.expression) {
    const jaw = face.expression.jawOpen;
    return { left: face.eyes.left.openness[0], right: face.eyes.right.openness[0], mouth: jaw ? jaw[0] : null,
             eyeKind: "openness, 1 is at rest", mouthKind: "jawOpen", eyeTop: 1.3, mouthTop: 1 };
  }
  if (!has68()) return null;
  const p = face.points;
  return { left: opening(p, 42), right: opening(p, 36), mouth: distance(p[62], p[66]) / eyeDistance(p),
           eyeKind: "height over width", mouthKind: "inner lips over eye distance", eyeTop: 0.5, mouthTop: 0.6 };
}

function remember(answer, now) {
  const face = answer.faces[0], values = face ? valuesOf(face) : null;
  state.history = [...state.history.filter((one) => one.at > now - HISTORY_S), { at: now, values }];
  if (values) {
    byId("eye-kind").textContent = values.eyeKind;
    byId("mouth-kind").textContent = values.mouthKind;
  }
  const top = values || { eyeTop: 1, mouthTop: 1 };
  plot(byId("eyes"), now, top.eyeTop, [["left", "#5ad"], ["right", "#fa6"]]);
  plot(byId("mouth"), now, top.mouthTop, [["mouth", "#8d8"]]);
}

function plot(element, now, top, curves) {
  const brush = element.getContext("2d"), { width, height } = element;
  brush.clearRect(0, 0, width, height);
  brush.strokeStyle = "#2a3036";
  brush.lineWidth = 1;
  for (const share of [0.02, 0.5, 0.98]) {
    brush.beginPath();
    brush.moveTo(0, share * height);
    brush.lineTo(width, share * height);
    brush.stroke();
  }
  for (const [name, colour] of curves) {
    brush.strokeStyle = colour;
    brush.lineWidth = 2.5;
    brush.beginPath();
    let isDrawing = false;
    for (const { at, values } of state.history) {
      const value = values && values[name];
      if (value === null || value === undefined) { isDrawing = false; continue; }
      const x = width * (1 - (now - at) / HISTORY_S);
      const y = height * (0.98 - 0.96 * Math.min(Math.max(value / top, 0), 1));
      if (isDrawing) brush.lineTo(x, y); else brush.moveTo(x, y);
      isDrawing = true;
    }
    brush.stroke();
  }
}

// ---- files ----

function upload(file) {
  const request = new XMLHttpRequest(), progress = byId("progress"), link = byId("table");
  const tell = (text, bad = false) => {
    byId("upload-state").textContent = text;
    byId("upload-state").classList.toggle("bad", bad);
  };
  let read = 0, table = [], failed = null;
  const take = () => {
    const end = request.responseText.lastIndexOf("\n") + 1;
    for (const text of request.responseText.slice(read, end).split("\n").filter(Boolean)) {
      const line = JSON.parse(text);
      if (line.error) { failed = line.error; continue; }
      table.push(line.rows);
      if (line.frames) progress.value = line.done / line.frames; else progress.removeAttribute("value");
      tell(`${line.done}${line.frames ? ` of ${line.frames}` : ""} frames`);
    }
    read = end;
  };
  link.hidden = true;
  progress.hidden = false;
  progress.value = 0;
  request.open("POST", "table");
  if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.onprogress = (event) => {
    if (event.lengthComputable) progress.value = event.loaded / event.total;
    tell(`sent ${(event.loaded / 1e6).toFixed(1)} MB`);
  };
  request.onprogress = () => { if (request.status === 200) take(); };
  request.onerror = () => tell("The line to the tracker broke.", true);
  request.onload = () => {
    if (request.status !== 200) {
      let reason = `refused (${request.status})`;
      try { reason = JSON.parse(request.responseText).error; } catch { /* no JSON: the status has to do */ }
      tell(reason, true);
      return;
    }
    take();
    if (failed) { tell(failed, true); return; }
    if (link.href) URL.revokeObjectURL(link.href);
    state.table = table.join("");
    link.href = URL.createObjectURL(new Blob([state.table], { type: "text/csv" }));
    link.download = `${file.name.replace(/\.[^.]*$/, "")}.csv`;
    link.hidden = false;
    tell(`${byId("upload-state").textContent}, done`);
  };
  request.send(file);
}

byId("start").addEventListener("click", start);
byId("file").addEventListener("change", (event) => {
  if (event.target.files.length) upload(event.target.files[0]);
});
