from support.gateway_world import guarded, instant, serve, served

__all__ = ["guarded", "instant", "serve", "served"]
