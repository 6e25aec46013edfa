//! The HTTP/1.1 server under the app. It is put together by hand, as `HttpServer` does it, for the one thing that can't be
//! told to that: what connections are made of.

mod stream;

use std::{
    fmt,
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    time::Duration,
};

use actix_http::{HttpService, Protocol, Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Server},
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use self::stream::{Refusals, Stream};

/// How long a client may take to send the head of a connection's first request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may stay unused.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long the end of a connection may take.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted, as many as `HttpServer` lets; the standard library's 128 are few for a burst.
const BACKLOG: u32 = 1024;

/// Binds `listen`, and serves what `app` makes for each worker until `stop` is cancelled, then what is under way for
/// `shutdown` at most. `https`: the world sees it by https.
pub fn serve<F, I, S, B>(
    app: F,
    listen: SocketAddr,
    https: bool,
    shutdown: Duration,
    stop: CancellationToken,
) -> io::Result<(Server, SocketAddr)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let listener = bind(listen)?;
    let address = listener.local_addr()?;
    let builder = Server::build()
        .disable_signals()
        .shutdown_signal(stop.cancelled_owned())
        .shutdown_timeout(shutdown.as_secs());
    let draining = builder.graceful_shutdown_signal();
    let service = move || {
        let draining = draining.clone();
        let app = app().into_factory().map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .local_addr(address)
            .finish(map_config(app, |()| AppConfig::default()));
        let refusals = Rc::new(Refusals::new(https));
        fn_service(move |connection: TcpStream| {
            let peer = connection.peer_addr().ok();
            ready(Ok((Stream::new(connection, refusals.clone()), Protocol::Http1, peer)))
        })
        .and_then(http)
    };
    Ok((builder.listen("http", listener, service)?.run(), address))
}

/// A socket that listens there, also while connections of an earlier process are dying.
fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)?.into_std()
}
