"""Base of objects that must free something when they are dropped; compiled, to lose no interrupt.

A signal handler's exception, such as `KeyboardInterrupt`, that comes while Python code of a
finalizer runs is printed and lost. Here it is raised in the main thread right after instead.
"""

import threading

from cpython.ref cimport Py_DECREF, Py_INCREF


cdef extern from "Python.h":
    int Py_AddPendingCall(int (*function)(void *) except -1, void *argument)
    unsigned long PyThread_get_thread_ident()


cdef int _raise(void *kept) except -1:
    error = <object>kept
    Py_DECREF(error)
    raise error


cdef class Finalized:
    """Calls its method `_drop` when it is dropped, in whatever thread that happens."""

    def __del__(self):
        if not self.__dict__:  # an interrupt came before it had anything
            return
        try:
            self._drop()
        except BaseException as error:
            # A signal handler runs in the main thread only.
            if PyThread_get_thread_ident() != threading.main_thread().ident:
                raise
            Py_INCREF(error)
            if Py_AddPendingCall(_raise, <void *>error):  # too many wait
                Py_DECREF(error)
                raise

    def _drop(self):
        """Free what the object holds."""
        raise NotImplementedError
